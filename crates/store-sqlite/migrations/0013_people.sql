-- People: who they are, where they belong, what they may do there, and how they are signed in.

-- Users are global: one person may belong to several tenants. The address is in lower case.
CREATE TABLE users (
    id                    INTEGER NOT NULL PRIMARY KEY,
    email                 TEXT    NOT NULL UNIQUE,
    display_name          TEXT    NOT NULL,
    -- Argon2id in its own text form; null: no password was set.
    password_hash         TEXT,
    password_changed_at   INTEGER,
    -- Sessions that began before this are over.
    signed_out_at         INTEGER NOT NULL DEFAULT 0,
    -- What makes one-time passwords, sealed; null: none are asked for.
    totp_secret_encrypted BLOB,
    -- The step of the last one-time password that was taken: none is taken twice.
    totp_last_step        INTEGER NOT NULL DEFAULT 0,
    -- SHA-256 of the token with which the first password, or a new one, may be set; null: there is none.
    invitation_hash       BLOB UNIQUE,
    invitation_ends_at    INTEGER,
    -- Who this is at an OpenID provider; null: nobody.
    oidc_issuer           TEXT,
    oidc_subject          TEXT,
    is_active             INTEGER NOT NULL,
    created_at            INTEGER NOT NULL,
    UNIQUE (oidc_issuer, oidc_subject)
) STRICT;

-- Which tenants somebody belongs to, looked up before one is chosen. Global, and says nothing else.
CREATE TABLE user_tenant (
    user_id INTEGER NOT NULL REFERENCES users (id),
    tenant  INTEGER NOT NULL REFERENCES tenant (id),
    PRIMARY KEY (user_id, tenant)
) STRICT, WITHOUT ROWID;

-- Failed sign-ins by account and by address, each as a SHA-256 so that nothing tells who it was. Global: nobody is signed in yet.
CREATE TABLE sign_in_failure (
    subject_hash BLOB    NOT NULL PRIMARY KEY,
    failures     INTEGER NOT NULL,
    last_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_failure_last ON sign_in_failure (last_at);

CREATE TABLE role (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    id        INTEGER NOT NULL,
    name      TEXT    NOT NULL,
    scopes    TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
) STRICT, WITHOUT ROWID;

-- A person in a tenant. Ids come from the counter of the API keys: both are principals.
CREATE TABLE member (
    tenant_id  INTEGER NOT NULL REFERENCES tenant (id),
    id         INTEGER NOT NULL,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    -- `*`, or the customers, sites and service providers whose lines are seen: see api_key.reach.
    reach      TEXT    NOT NULL,
    is_active  INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE member_role (
    tenant_id INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    role_id   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, member_id, role_id),
    FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, role_id) REFERENCES role (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_role_by_role ON member_role (tenant_id, role_id, member_id);

-- Who is signed in. The token itself is only in the cookie, with the tenant's id before it.
CREATE TABLE session (
    tenant_id  INTEGER NOT NULL,
    token_hash BLOB    NOT NULL,
    member_id  INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    address    TEXT    NOT NULL,
    agent      TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, token_hash),
    FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX session_of_member ON session (tenant_id, member_id, created_at);
CREATE INDEX session_ends ON session (tenant_id, ends_at);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('role', 'role', '10000 10 1'),
    ('member', 'member', '200000 200 1'),
    ('member', 'sqlite_autoindex_member_2', '200000 200 1'),
    ('member_role', 'member_role', '400000 400 2 1'),
    ('member_role', 'member_role_by_role', '400000 400 40 1'),
    ('session', 'session', '1000000 1000 1'),
    ('session', 'session_of_member', '1000000 1000 5 1'),
    ('session', 'session_ends', '1000000 1000 1');

-- Makes this connection read them; the others read them with the schema.
ANALYZE sqlite_schema;
