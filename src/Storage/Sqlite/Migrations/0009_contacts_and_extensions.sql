-- How the dealer reaches whoever has an order. Personal data: erased with the user's, or when its time is over (docs/risk.md, Privacy).
CREATE TABLE order_contacts (
    order_id   BLOB    NOT NULL PRIMARY KEY REFERENCES orders (id),
    user_id    TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    phone      TEXT    NOT NULL,
    city       TEXT    NOT NULL,
    changed_at INTEGER NOT NULL,
    forget_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX order_contacts_by_user ON order_contacts (user_id);
CREATE INDEX order_contacts_to_forget ON order_contacts (forget_at);

-- Orders whose time to pay was extended: each once, which the key holds.
CREATE TABLE order_extensions (
    order_id    BLOB    NOT NULL PRIMARY KEY REFERENCES orders (id),
    extended_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
