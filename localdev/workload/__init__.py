"""A shop: orders are inserted, updated and deleted in a table whose changes are to be published."""
