"""A small Polar, as its fact sheet and the schemas of its SDK describe the real one."""
