"""One file a step: it makes the version ``revision`` of the one called ``down_revision``. Never changed later."""
