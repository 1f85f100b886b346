//! Reading a request body into an order (B4.1 to B4.4): all problems at once, or an order of the right form.
