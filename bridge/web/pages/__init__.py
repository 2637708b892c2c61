"""One file a page: it reads the store once, makes plain values of the rows, and names its template."""
