//! The tables, for both databases; a test compares this file with each catalogue.

diesel::table! {
    account (id) {
        id -> Text,
        username -> Text,
        password_hash -> Nullable<Text>,
        totp_secret -> Nullable<Text>,
        enabled -> Bool,
        attributes -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        language -> Nullable<Text>,
        fiscal_number -> Nullable<Text>,
        email -> Nullable<Text>,
        page_language -> Nullable<Text>,
    }
}

diesel::table! {
    mail_message (id) {
        id -> Text,
        account_id -> Text,
        kind -> Text,
        distinct_key -> Nullable<Binary>,
        sealed -> Binary,
        state -> Text,
        claim -> Nullable<Text>,
        attempts -> BigInt,
        created_at -> BigInt,
        next_attempt_at -> BigInt,
        give_up_at -> BigInt,
        done_at -> Nullable<BigInt>,
        reason -> Nullable<Text>,
        expires_at -> BigInt,
    }
}

diesel::table! {
    authenticator (id) {
        id -> Text,
        account_id -> Text,
        method -> Text,
        name -> Text,
        sealed -> Binary,
        created_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
        last_step -> Nullable<BigInt>,
        expires_at -> Nullable<BigInt>,
        begun_in -> Nullable<Text>,
        credential_id -> Nullable<Text>,
        rp_id -> Nullable<Text>,
        public_key -> Nullable<Binary>,
    }
}

diesel::table! {
    key_challenge (place) {
        place -> Text,
        state -> Binary,
        options -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    recovery_code (account_id, code_hash) {
        account_id -> Text,
        code_hash -> Binary,
        created_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    external_login (interaction_id) {
        interaction_id -> Text,
        transaction_id -> Text,
        account_id -> Text,
        browser_hash -> Binary,
        level -> Text,
        number -> Text,
        state -> Text,
        trouble -> Nullable<Text>,
        requests -> BigInt,
        next_request_at -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    email_code (interaction_id) {
        interaction_id -> Text,
        account_id -> Text,
        code_hash -> Binary,
        sent -> BigInt,
        created_at -> BigInt,
        used_at -> Nullable<BigInt>,
        expires_at -> BigInt,
    }
}

diesel::table! {
    client (issuer, client_id) {
        issuer -> Text,
        client_id -> Text,
        origin -> Text,
        metadata -> Text,
        jwks -> Text,
        trust -> Nullable<Text>,
        expires_at -> Nullable<BigInt>,
        enabled -> Bool,
        updated_at -> BigInt,
        display_name -> Text,
        tolerance -> Nullable<Text>,
    }
}

diesel::table! {
    client_change (issuer, client_id) {
        issuer -> Text,
        client_id -> Text,
        changed_at -> BigInt,
        number -> BigInt,
    }
}

diesel::table! {
    replay (key_hash) {
        key_hash -> Binary,
        reference -> Nullable<Text>,
        expires_at -> BigInt,
    }
}

diesel::table! {
    interaction (id) {
        id -> Text,
        issuer -> Text,
        browser_hash -> Binary,
        request -> Text,
        state -> Text,
        session_id -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> BigInt,
        proof -> Nullable<Text>,
    }
}

diesel::table! {
    rp_check (id) {
        id -> Text,
        kind -> Text,
        issuer -> Text,
        client_id -> Text,
        running_key -> Nullable<Text>,
        steps -> Text,
        result -> Nullable<Text>,
        actor -> Text,
        lease_until -> BigInt,
        created_at -> BigInt,
        finished_at -> Nullable<BigInt>,
        expires_at -> BigInt,
    }
}

diesel::table! {
    session (id) {
        id -> Text,
        issuer -> Text,
        account_id -> Text,
        acr -> Text,
        authenticated_at -> BigInt,
        browser -> Text,
        address -> Text,
        expires_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        methods -> Text,
    }
}

diesel::table! {
    web_session (key_hash) {
        key_hash -> Binary,
        state -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    access_grant (id) {
        id -> Text,
        issuer -> Text,
        client_id -> Text,
        account_id -> Text,
        session_id -> Text,
        subject -> Text,
        acr -> Text,
        authenticated_at -> BigInt,
        request -> Text,
        offline_access -> Bool,
        refresh_count -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        methods -> Text,
        end_told_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    authorization_code (code_hash) {
        code_hash -> Binary,
        grant_id -> Text,
        client_id -> Text,
        expires_at -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    token (id) {
        id -> Text,
        kind -> Text,
        grant_id -> Text,
        generation -> BigInt,
        client_id -> Text,
        issued_at -> BigInt,
        expires_at -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    login_event (id) {
        id -> Text,
        issuer -> Text,
        account_id -> Text,
        client_id -> Text,
        rp_name -> Text,
        acr -> Text,
        attributes -> Text,
        browser -> Text,
        address -> Text,
        occurred_at -> BigInt,
        grant_id -> Text,
        access_until -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    signing_key (issuer, kid) {
        issuer -> Text,
        kid -> Text,
        ring -> Text,
        key_usage -> Text,
        kind -> Text,
        sealed -> Binary,
        public_jwk -> Text,
        created_at -> BigInt,
        activates_at -> BigInt,
        retired_at -> Nullable<BigInt>,
        ends_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    revision (name) {
        name -> Text,
        number -> BigInt,
    }
}

diesel::table! {
    throttle (key_hash) {
        key_hash -> Binary,
        window_start -> BigInt,
        failures -> BigInt,
        blocks -> BigInt,
        blocked_until -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    lease (name) {
        name -> Text,
        holder -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    renewal (issuer, client_id) {
        issuer -> Text,
        client_id -> Text,
        superior -> Text,
        resolved_at -> BigInt,
        due_at -> BigInt,
        marks_due_at -> BigInt,
        failures -> BigInt,
        failing_since -> Nullable<BigInt>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    own_trust_mark (issuer, mark_type, mark_issuer) {
        issuer -> Text,
        mark_type -> Text,
        mark_issuer -> Text,
        jwt -> Text,
        issued_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        obtained_at -> BigInt,
    }
}

diesel::table! {
    refusal (number) {
        number -> BigInt,
        reference -> Text,
        issuer -> Text,
        client_id -> Text,
        known -> Bool,
        refused_at -> BigInt,
        event -> Text,
        code -> Text,
        description -> Text,
        reason -> Text,
    }
}

diesel::table! {
    known_device (account_id, device_hash) {
        account_id -> Text,
        device_hash -> Binary,
        first_used_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    form_draft (id_hash) {
        id_hash -> Binary,
        owner -> Text,
        path -> Text,
        sealed -> Binary,
        expires_at -> BigInt,
    }
}

diesel::table! {
    operator (id) {
        id -> Text,
        name -> Text,
        role -> Text,
        enabled -> Bool,
        password_hash -> Nullable<Text>,
        totp -> Nullable<Binary>,
        totp_step -> Nullable<BigInt>,
        totp_pending -> Nullable<Binary>,
        created_at -> BigInt,
        updated_at -> BigInt,
        last_login_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    operator_session (id) {
        id -> Text,
        operator_id -> Text,
        proven -> Bool,
        browser -> Text,
        address -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        totp_pending -> Nullable<Binary>,
    }
}

diesel::table! {
    trail (number) {
        number -> BigInt,
        happened_at -> BigInt,
        actor -> Text,
        via -> Text,
        address -> Text,
        action -> Text,
        subject -> Text,
        before -> Nullable<Text>,
        after -> Nullable<Text>,
    }
}

diesel::table! {
    login_count (client_id, span, bucket_at, issuer, acr, result, slot) {
        client_id -> Text,
        span -> BigInt,
        bucket_at -> BigInt,
        issuer -> Text,
        acr -> Text,
        result -> Text,
        slot -> BigInt,
        number -> BigInt,
    }
}

diesel::table! {
    refusal_count (span, bucket_at, issuer, event, code) {
        span -> BigInt,
        bucket_at -> BigInt,
        issuer -> Text,
        event -> Text,
        code -> Text,
        number -> BigInt,
    }
}

diesel::table! {
    node (id) {
        id -> Text,
        address -> Text,
        version -> Text,
        started_at -> BigInt,
        seen_at -> BigInt,
        clock_off -> Nullable<BigInt>,
    }
}

diesel::joinable!(token -> access_grant (grant_id));
diesel::joinable!(access_grant -> account (account_id));
diesel::allow_tables_to_appear_in_same_query!(token, access_grant, account);
diesel::allow_tables_to_appear_in_same_query!(renewal, client);

diesel::table! {
    user_import (id) {
        id -> Text,
        state -> Text,
        name -> Text,
        actor -> Text,
        via -> Text,
        address -> Text,
        skips -> Bool,
        valid_lines -> BigInt,
        bad_lines -> BigInt,
        problems -> Text,
        done_lines -> BigInt,
        added -> BigInt,
        updated -> BigInt,
        holder -> Nullable<Text>,
        lease_until -> BigInt,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        expires_at -> BigInt,
        kind -> Text,
    }
}

diesel::table! {
    user_import_part (import_id, number) {
        import_id -> Text,
        number -> BigInt,
        line_count -> BigInt,
        sealed -> Binary,
        expires_at -> BigInt,
    }
}
