"""Photos and PDFs that patients add: taken in, looked through, cleaned, kept in the database, and served to few.

`uploads` stops what is too large while it still arrives. `cleaning` finds out from the bytes what a file is and makes
a clean one of it, in a process of its own (`decoder`); `scanner` asks a virus scanner where there is one; `storage`
keeps the bytes; `actions` are the writes; `form` joins them to the questions of a draft; `views` serves.
`docs/attachments.md` tells what is taken, what is refused and why.
"""
