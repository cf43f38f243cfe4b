"""The steps by which the schema came to be what it is. A step that was released is never changed."""
