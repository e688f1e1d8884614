"""The report page of a study: what is read, what is said, what is drawn, and how it is put together."""
