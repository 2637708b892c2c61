"""Mail doors: who may hand in what, and the ``250`` that means "on the disk".

The only room that speaks SMTP as a server. It decides from the envelope alone and never looks into a mail, so
no content can hurt it.
"""
