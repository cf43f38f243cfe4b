"""What commands print for people: tables, a timeline, versions, problems."""
