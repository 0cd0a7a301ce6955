"""Reading a script: members, expressions, templates, and what is wrong with it."""
