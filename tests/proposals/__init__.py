"""Header proposals measured on rows of headings in the styles of real hospital systems."""
