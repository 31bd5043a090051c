-- How the dealer reaches whoever has an order. Personal data: erased with the user's, or when its time is over (docs/risk.md, Privacy).
CREATE TABLE IF NOT EXISTS order_contacts (
    order_id   BINARY(16)  NOT NULL PRIMARY KEY,
    user_id    VARCHAR(64) NOT NULL,
    name       VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    phone      VARCHAR(20) NOT NULL,
    city       VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    changed_at BIGINT      NOT NULL,
    forget_at  BIGINT      NOT NULL,
    KEY order_contacts_by_user (user_id),
    KEY order_contacts_to_forget (forget_at),
    FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;

-- Orders whose time to pay was extended: each once, which the key holds.
CREATE TABLE IF NOT EXISTS order_extensions (
    order_id    BINARY(16) NOT NULL PRIMARY KEY,
    extended_at BIGINT     NOT NULL,
    FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin;
