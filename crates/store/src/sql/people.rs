//! Users, members, roles and sessions. `users`, `user_tenant` and `sign_in_failure` are global: each statement on them names one
//! user, one token or one hash.

/// What a principal may do, as `reach|scopes`; null: nothing any more. `$1` tenant; the arguments are its id and now.
#[macro_export]
macro_rules! rights_of {
    ($id:literal, $now:literal) => {
        concat!(
            "coalesce((SELECT k.reach || '|' || k.scopes FROM api_key k WHERE k.tenant_id = $1 AND k.id = ",
            $id,
            " AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ",
            $now,
            ")), (SELECT m.reach || '|' || coalesce(string_agg(r.scopes, ' '), '') FROM member m
                JOIN users u ON u.id = m.user_id AND u.is_active = 1
                LEFT JOIN member_role mr ON mr.tenant_id = $1 AND mr.member_id = m.id
                LEFT JOIN role r ON r.tenant_id = $1 AND r.id = mr.role_id
                WHERE m.tenant_id = $1 AND m.id = ",
            $id,
            " AND m.is_active = 1 AND m.is_pending = 0 GROUP BY m.reach))"
        )
    };
}

macro_rules! user_columns {
    () => {
        "SELECT id, email, display_name, password_hash, totp_secret_encrypted, totp_last_step, is_active, created_at FROM users "
    };
}

macro_rules! member_columns {
    () => {
        "SELECT m.id, m.user_id, u.email, coalesce(m.invited_as, u.display_name), m.reach, m.is_active, m.created_at,
            (SELECT string_agg(CAST(mr.role_id AS TEXT), ' ') FROM member_role mr WHERE mr.tenant_id = $1 AND mr.member_id = m.id),
            m.is_pending, CASE WHEN m.invitation_hash IS NOT NULL THEN m.invitation_ends_at END,
            CASE WHEN m.is_pending = 0 THEN u.oidc_issuer END
        FROM member m JOIN users u ON u.id = m.user_id WHERE m.tenant_id = $1 "
    };
}

macro_rules! session_columns {
    () => {
        "s.token_hash, s.member_id, s.created_at, s.seen_at, s.ends_at, s.address, s.agent"
    };
}

crate::statements! {
    /// `$1` id, `$2` address, `$3` name, `$4` hash, `$5` when that was set, `$6` now. The address is unique.
    CREATE_USER = "INSERT INTO users (id, email, display_name, password_hash, password_changed_at, is_active, created_at)
        VALUES ($1, $2, $3, $4, $5, 1, $6)";
    /// `$1` id.
    GET_USER = concat!(user_columns!(), "WHERE id = $1");
    /// `$1` address.
    FIND_USER_BY_EMAIL = concat!(user_columns!(), "WHERE email = $1");
    /// `$1` issuer, `$2` subject.
    FIND_USER_BY_IDENTITY = concat!(user_columns!(), "WHERE oidc_issuer = $1 AND oidc_subject = $2");
    /// Whoever is somebody there already stays that. An invitation is taken back: nobody needs it any more. `$1` id, `$2` issuer, `$3` subject.
    SET_IDENTITY = "UPDATE users SET oidc_issuer = $2, oidc_subject = $3, invitation_hash = NULL, invitation_ends_at = NULL
        WHERE id = $1 AND (oidc_issuer IS NULL OR (oidc_issuer = $2 AND oidc_subject = $3))";
    /// `$1` id, `$2` now.
    CLEAR_IDENTITY = "UPDATE users SET oidc_issuer = NULL, oidc_subject = NULL, signed_out_at = $2 WHERE id = $1";
    /// `$1` id, `$2` hash, `$3` now.
    SET_PASSWORD = "UPDATE users SET password_hash = $2, password_changed_at = $3, signed_out_at = $3, invitation_hash = NULL,
        invitation_ends_at = NULL WHERE id = $1";
    /// Of several at once one finds the invitation. `$1` hash of the token, `$2` hash of the password, `$3` now.
    TAKE_UP_INVITATION = "UPDATE users SET password_hash = $2, password_changed_at = $3, signed_out_at = $3, invitation_hash = NULL,
        invitation_ends_at = NULL WHERE invitation_hash = $1 AND invitation_ends_at > $3 AND is_active = 1";
    /// `$1` id, `$2` now.
    SIGN_OUT_EVERYWHERE = "UPDATE users SET signed_out_at = $2 WHERE id = $1";
    /// `$1` id, `$2` whether.
    SET_USER_ACTIVE = "UPDATE users SET is_active = $2 WHERE id = $1";
    /// `$1` id, `$2` sealed secret.
    SET_TOTP_SECRET = "UPDATE users SET totp_secret_encrypted = $2, totp_last_step = 0 WHERE id = $1";
    /// `$1` id, `$2` step.
    TAKE_TOTP_STEP = "UPDATE users SET totp_last_step = $2 WHERE id = $1 AND totp_last_step < $2";
    /// `$1` id, `$2` hash, `$3` until.
    SET_INVITATION = "UPDATE users SET invitation_hash = $2, invitation_ends_at = $3 WHERE id = $1";
    /// `$1` hash, `$2` now.
    FIND_INVITED = concat!(user_columns!(), "WHERE invitation_hash = $1 AND invitation_ends_at > $2 AND is_active = 1");
    /// Has others who change the user wait. `$1` id.
    HOLD_USER = "UPDATE users SET is_active = is_active WHERE id = $1";
    /// Takes the invitation back, and has others who change the user wait. `$1` id.
    CLEAR_INVITATION = "UPDATE users SET invitation_hash = NULL, invitation_ends_at = NULL WHERE id = $1";
    /// Begins the account anew for whoever takes up an invitation to it: nothing of what somebody set before counts any more.
    /// `$1` id, `$2` name, `$3` hash of the password, `$4` now.
    RENEW_USER = "UPDATE users SET display_name = $2, password_hash = $3, password_changed_at = $4, signed_out_at = $4,
        totp_secret_encrypted = NULL, totp_last_step = 0, invitation_hash = NULL, invitation_ends_at = NULL, oidc_issuer = NULL,
        oidc_subject = NULL WHERE id = $1";
    /// In how many tenants they are no longer pending. `$1` user.
    COUNT_TENANTS_OF = "SELECT count(*) FROM user_tenant WHERE user_id = $1 AND accepted_at IS NOT NULL";
    /// With when each was last entered, and accepted. `$1` user.
    LIST_TENANTS_OF = "SELECT tenant, entered_at, accepted_at FROM user_tenant WHERE user_id = $1 AND accepted_at IS NOT NULL
        ORDER BY tenant";
    /// `$1` user.
    LIST_INVITING_TENANTS = "SELECT tenant FROM user_tenant WHERE user_id = $1 AND accepted_at IS NULL ORDER BY tenant";
    /// `$1` user, `$2` tenant, `$3` now.
    ENTER_TENANT = "UPDATE user_tenant SET entered_at = $3 WHERE user_id = $1 AND tenant = $2";
    /// `$1` user, `$2` tenant, `$3` now.
    ACCEPT_TENANT = "UPDATE user_tenant SET accepted_at = $3 WHERE user_id = $1 AND tenant = $2";
    /// `$1` user, `$2` tenant.
    LEAVE_TENANT = "DELETE FROM user_tenant WHERE user_id = $1 AND tenant = $2";

    /// `$1` hash, `$2` since.
    FIND_FAILURES = "SELECT failures, last_at FROM sign_in_failure WHERE subject_hash = $1 AND last_at >= $2";
    /// Whoever failed since `$3` fails once more; else this is the first time. `$1` hash, `$2` now.
    RECORD_FAILURE = "INSERT INTO sign_in_failure (subject_hash, failures, last_at) VALUES ($1, 1, $2)
        ON CONFLICT (subject_hash) DO UPDATE SET last_at = excluded.last_at,
            failures = CASE WHEN sign_in_failure.last_at >= $3 THEN sign_in_failure.failures + 1 ELSE 1 END";
    /// By `sign_in_failure_last`. `$1` before.
    DROP_OLD_FAILURES = "DELETE FROM sign_in_failure WHERE subject_hash IN
        (SELECT subject_hash FROM sign_in_failure WHERE last_at < $1 ORDER BY last_at LIMIT 100)";
    /// `$1` hash.
    CLEAR_FAILURES = "DELETE FROM sign_in_failure WHERE subject_hash = $1";

    /// `$1` tenant, `$2` id, `$3` name, `$4` scopes. The name is unique in the tenant.
    CREATE_ROLE = "INSERT INTO role (tenant_id, id, name, scopes) VALUES ($1, $2, $3, $4)";
    /// `$1` tenant, `$2` id.
    GET_ROLE = "SELECT id, name, scopes FROM role WHERE tenant_id = $1 AND id = $2";
    /// `$1` tenant.
    LIST_ROLES = "SELECT id, name, scopes FROM role WHERE tenant_id = $1 ORDER BY id";
    /// `$1` tenant, `$2` id, `$3` name, `$4` scopes.
    UPDATE_ROLE = "UPDATE role SET name = $3, scopes = $4 WHERE tenant_id = $1 AND id = $2";
    /// Refused by `member_role` while somebody has it. `$1` tenant, `$2` id.
    DELETE_ROLE = "DELETE FROM role WHERE tenant_id = $1 AND id = $2";

    /// Global, and first in its transaction. `$1` user, `$2` tenant, `$3` when they accepted.
    ADD_TENANT_OF_USER = "INSERT INTO user_tenant (user_id, tenant, accepted_at) VALUES ($1, $2, $3)";
    /// `$1` tenant, `$2` id, `$3` user, `$4` reach, `$5` whether active, `$6` now, `$7` whether pending; then: `$8` their name, `$9` hash of
    /// the token, `$10` until when it counts.
    ADD_MEMBER = "INSERT INTO member (tenant_id, id, user_id, reach, is_active, created_at, is_pending, invited_as, invitation_hash,
            invitation_ends_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    /// Whom a token lets in, and as whom. By `member_invitation`. `$1` tenant, `$2` hash, `$3` now.
    FIND_INVITED_MEMBER = "SELECT m.id, m.user_id, m.invited_as FROM member m JOIN users u ON u.id = m.user_id AND u.is_active = 1
        WHERE m.tenant_id = $1 AND m.invitation_hash = $2 AND m.invitation_ends_at > $3 AND m.is_pending = 1 AND m.is_active = 1";
    /// They belong to the tenant from now on. `$1` tenant, `$2` id, `$3` hash.
    ACCEPT_MEMBER = "UPDATE member SET is_pending = 0, invited_as = NULL, invitation_hash = NULL, invitation_ends_at = NULL
        WHERE tenant_id = $1 AND id = $2 AND invitation_hash = $3 AND is_pending = 1";
    /// The same of somebody for whom a provider vouches. `$1` tenant, `$2` id.
    ACCEPT_KNOWN_MEMBER = "UPDATE member SET is_pending = 0, invited_as = NULL, invitation_hash = NULL, invitation_ends_at = NULL
        WHERE tenant_id = $1 AND id = $2 AND is_pending = 1";
    /// `$1` tenant, `$2` id, `$3` hash, `$4` until.
    INVITE_PENDING = "UPDATE member SET invitation_hash = $3, invitation_ends_at = $4 WHERE tenant_id = $1 AND id = $2 AND is_pending = 1";
    /// `$1` tenant, `$2` id.
    TAKE_BACK_INVITATION = "UPDATE member SET invitation_hash = NULL WHERE tenant_id = $1 AND id = $2";
    /// Members with that role who may be invited at present, and whether they are pending. By `member_role_by_role`. `$1` tenant, `$2` role.
    LIST_INVITED_WITH_ROLE = "SELECT m.id, m.user_id, m.is_pending FROM member_role mr
        JOIN member m ON m.tenant_id = $1 AND m.id = mr.member_id JOIN users u ON u.id = m.user_id
        WHERE mr.tenant_id = $1 AND mr.role_id = $2 AND (m.invitation_hash IS NOT NULL OR u.invitation_hash IS NOT NULL)
        ORDER BY mr.member_id";
    /// What a member may do once they act, as `reach|scopes`. `$1` tenant, `$2` id.
    RIGHTS_OF_MEMBER = "SELECT m.reach || '|' || coalesce((SELECT string_agg(r.scopes, ' ') FROM member_role mr
            JOIN role r ON r.tenant_id = $1 AND r.id = mr.role_id WHERE mr.tenant_id = $1 AND mr.member_id = m.id), '')
        FROM member m WHERE m.tenant_id = $1 AND m.id = $2";
    /// Their roles and sessions go with them. `$1` tenant, `$2` id.
    REMOVE_MEMBER = "DELETE FROM member WHERE tenant_id = $1 AND id = $2";
    /// `$1` tenant, `$2` id.
    GET_MEMBER = concat!(member_columns!(), "AND m.id = $2");
    /// `$1` tenant, `$2` user.
    FIND_MEMBER_OF = concat!(member_columns!(), "AND m.user_id = $2");
    /// `$1` tenant, `$2` the id before the first, `$3` how many.
    LIST_MEMBERS = concat!(member_columns!(), "AND m.id > $2 ORDER BY m.id LIMIT $3");
    /// What each member who is not limited and can sign in may do, by all of their roles. `$1` tenant.
    LIST_UNLIMITED_SCOPES = "SELECT coalesce((SELECT string_agg(r.scopes, ' ') FROM member_role mr
            JOIN role r ON r.tenant_id = $1 AND r.id = mr.role_id WHERE mr.tenant_id = $1 AND mr.member_id = m.id), '')
        FROM member m JOIN users u ON u.id = m.user_id AND u.is_active = 1
            AND (u.password_hash IS NOT NULL OR u.oidc_subject IS NOT NULL)
        WHERE m.tenant_id = $1 AND m.reach = '*' AND m.is_active = 1 AND m.is_pending = 0";
    /// `$1` tenant, `$2` id, `$3` reach, `$4` whether active.
    UPDATE_MEMBER = "UPDATE member SET reach = $3, is_active = $4 WHERE tenant_id = $1 AND id = $2";
    /// `$1` tenant, `$2` member.
    CLEAR_ROLES_OF = "DELETE FROM member_role WHERE tenant_id = $1 AND member_id = $2";
    /// Gives a role, if it is there. `$1` tenant, `$2` member, `$3` role.
    GIVE_ROLE = "INSERT INTO member_role (tenant_id, member_id, role_id)
        SELECT r.tenant_id, $2, r.id FROM role r WHERE r.tenant_id = $1 AND r.id = $3";

    /// `$1` tenant, `$2` hash, `$3` member, `$4` now, `$5` end, `$6` address, `$7` agent.
    BEGIN_SESSION = "INSERT INTO session (tenant_id, token_hash, member_id, created_at, seen_at, ends_at, address, agent)
        VALUES ($1, $2, $3, $4, $4, $5, $6, $7)";
    /// One row by primary keys: session, member, user, and the roles of that member. `$1` tenant, `$2` hash.
    FIND_SIGNED_IN = concat!(
        "SELECT ", session_columns!(), ", u.id, u.email, u.display_name,
            m.reach || '|' || coalesce((SELECT string_agg(r.scopes, ' ') FROM member_role mr
                JOIN role r ON r.tenant_id = $1 AND r.id = mr.role_id WHERE mr.tenant_id = $1 AND mr.member_id = m.id), '')
        FROM session s JOIN member m ON m.tenant_id = $1 AND m.id = s.member_id AND m.is_active = 1 AND m.is_pending = 0
        JOIN users u ON u.id = m.user_id AND u.is_active = 1 AND u.signed_out_at <= s.created_at
        WHERE s.tenant_id = $1 AND s.token_hash = $2"
    );
    /// `$1` tenant, `$2` hash, `$3` now.
    RECORD_SESSION_USE = "UPDATE session SET seen_at = $3 WHERE tenant_id = $1 AND token_hash = $2";
    /// `$1` tenant, `$2` hash.
    END_SESSION = "DELETE FROM session WHERE tenant_id = $1 AND token_hash = $2";
    /// By `session_of_member`. `$1` tenant, `$2` member, `$3` the one that stays.
    END_SESSIONS_OF = "DELETE FROM session WHERE tenant_id = $1 AND member_id = $2 AND token_hash <> $3";
    /// Those of a member that are too many, beside the one that began. By `session_of_member`. `$1` tenant, `$2` member, `$3` the hash of that one,
    /// `$4` how many stay beside it.
    END_OLDEST_SESSIONS = "DELETE FROM session WHERE tenant_id = $1 AND token_hash IN
        (SELECT token_hash FROM session WHERE tenant_id = $1 AND member_id = $2 AND token_hash <> $3
            ORDER BY created_at DESC LIMIT 1000 OFFSET $4)";
    /// By `session_of_member`. `$1` tenant, `$2` member.
    LIST_SESSIONS = concat!("SELECT ", session_columns!(), " FROM session s WHERE s.tenant_id = $1 AND s.member_id = $2
        ORDER BY s.created_at DESC LIMIT 1000");
    /// By `session_ends`. `$1` tenant, `$2` before.
    DROP_ENDED_SESSIONS = "DELETE FROM session WHERE tenant_id = $1 AND token_hash IN
        (SELECT token_hash FROM session WHERE tenant_id = $1 AND ends_at < $2 ORDER BY ends_at LIMIT 1000)";

    /// `$1` tenant, `$2` principal, `$3` now.
    FIND_RIGHTS = concat!("SELECT ", rights_of!("$2", "$3"));
}
