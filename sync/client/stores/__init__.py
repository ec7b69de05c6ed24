"""The inside of the two client files: connections, schemas, salvage, snapshot staging."""
