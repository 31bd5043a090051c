-- The list of refunds that are due: of few orders ever, so it costs the others nothing.
CREATE INDEX orders_to_refund ON orders (status) WHERE status = 'refund_due';
