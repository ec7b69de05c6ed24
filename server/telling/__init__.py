"""What other programs are told of orders: the events, whom, and the durable outbox. No sockets here."""
