/* staffetta.db: users, credentials, networks, domains, public halves of keys, operators'
 * orders, suppressions.  Written by the settings thread alone (policy/registry.h).
 * Statements: sql/queries_staffetta.sql.  Thread: a value, any. */
#pragma once

#include "sql/db.h"

#define STAFFETTA_STATEMENTS(X)                                                                    \
    X(STAFFETTA_ALL_USERS, "all_users")                                                            \
    X(STAFFETTA_ALL_USER_LIMITS, "all_user_limits")                                                \
    X(STAFFETTA_ALL_SENDER_RULES, "all_sender_rules")                                              \
    X(STAFFETTA_ALL_CREDENTIALS, "all_credentials")                                                \
    X(STAFFETTA_ALL_NETWORKS, "all_networks")                                                      \
    X(STAFFETTA_ALL_DOMAINS, "all_domains")                                                        \
    X(STAFFETTA_ALL_KEYS, "all_keys")                                                              \
    X(STAFFETTA_ALL_ORDERS, "all_orders")                                                          \
    X(STAFFETTA_COUNT_ROWS, "count_rows")                                                          \
    X(STAFFETTA_ADD_USER, "add_user")                                                              \
    X(STAFFETTA_FIND_USER, "find_user")                                                            \
    X(STAFFETTA_ENABLE_USER, "enable_user")                                                        \
    X(STAFFETTA_BRAKE_USER, "brake_user")                                                          \
    X(STAFFETTA_UNBRAKE_USER, "unbrake_user")                                                      \
    X(STAFFETTA_DELETE_USER, "delete_user")                                                        \
    X(STAFFETTA_SET_USER_TRACE, "set_user_trace")                                                  \
    X(STAFFETTA_SET_USER_BOUNCES, "set_user_bounces")                                              \
    X(STAFFETTA_SET_USER_CLASS, "set_user_class")                                                  \
    X(STAFFETTA_SET_USER_MUST_SIGN, "set_user_must_sign")                                          \
    X(STAFFETTA_SET_USER_REFUSAL, "set_user_refusal")                                              \
    X(STAFFETTA_SET_USER_BRAKE, "set_user_brake")                                                  \
    X(STAFFETTA_SET_USER_DEFAULT_CLASS, "set_user_default_class")                                  \
    X(STAFFETTA_SET_USER_CONTACT, "set_user_contact")                                              \
    X(STAFFETTA_SET_USER_LIMIT, "set_user_limit")                                                  \
    X(STAFFETTA_DELETE_USER_LIMITS, "delete_user_limits")                                          \
    X(STAFFETTA_ADD_SENDER_RULE, "add_sender_rule")                                                \
    X(STAFFETTA_DELETE_SENDER_RULES, "delete_sender_rules")                                        \
    X(STAFFETTA_ADD_CREDENTIAL, "add_credential")                                                  \
    X(STAFFETTA_DELETE_CREDENTIALS, "delete_credentials")                                          \
    X(STAFFETTA_DELETE_CREDENTIALS_OF_KIND, "delete_credentials_of_kind")                          \
    X(STAFFETTA_REPLACE_HASH, "replace_hash")                                                      \
    X(STAFFETTA_NOTE_USE, "note_use")                                                              \
    X(STAFFETTA_CREDENTIALS_OF, "credentials_of")                                                  \
    X(STAFFETTA_LAST_USES, "last_uses")                                                            \
    X(STAFFETTA_ADD_NETWORK, "add_network")                                                        \
    X(STAFFETTA_FIND_NETWORK, "find_network")                                                      \
    X(STAFFETTA_DELETE_NETWORK, "delete_network")                                                  \
    X(STAFFETTA_DELETE_NETWORKS_OF, "delete_networks_of")                                          \
    X(STAFFETTA_ADD_DOMAIN, "add_domain")                                                          \
    X(STAFFETTA_FIND_DOMAIN, "find_domain")                                                        \
    X(STAFFETTA_SET_DOMAIN_REQUIRES_SIGNING, "set_domain_requires_signing")                        \
    X(STAFFETTA_DELETE_DOMAIN, "delete_domain")                                                    \
    X(STAFFETTA_ADD_KEY, "add_key")                                                                \
    X(STAFFETTA_FIND_KEY, "find_key")                                                              \
    X(STAFFETTA_ACTIVE_KEYS, "active_keys")                                                        \
    X(STAFFETTA_JUDGE_KEY, "judge_key")                                                            \
    X(STAFFETTA_REST_KEYS, "rest_keys")                                                            \
    X(STAFFETTA_ACTIVATE_KEY, "activate_key")                                                      \
    X(STAFFETTA_DELETE_KEY, "delete_key")                                                          \
    X(STAFFETTA_DELETE_KEYS_OF, "delete_keys_of")                                                  \
    X(STAFFETTA_PUT_ORDER, "put_order")                                                            \
    X(STAFFETTA_COUNT_ORDERS, "count_orders")                                                      \
    X(STAFFETTA_DELETE_ORDER, "delete_order")                                                      \
    X(STAFFETTA_DELETE_ORDERS, "delete_orders")                                                    \
    X(STAFFETTA_DELETE_ENDED_ORDERS, "delete_ended_orders")                                        \
    X(STAFFETTA_SUSPENSION_OF, "suspension_of")                                                    \
    X(STAFFETTA_DELETE_ORDERS_OF, "delete_orders_of")                                              \
    X(STAFFETTA_ADD_SUPPRESSION, "add_suppression")                                                \
    X(STAFFETTA_DELETE_SUPPRESSION, "delete_suppression")                                          \
    X(STAFFETTA_NEXT_SUPPRESSIONS, "next_suppressions")                                            \
    X(STAFFETTA_DELETE_SUPPRESSIONS_OF, "delete_suppressions_of")                                  \
    X(STAFFETTA_PUT_COUNT, "put_count")                                                            \
    X(STAFFETTA_ALL_COUNTS, "all_counts")                                                          \
    X(STAFFETTA_DELETE_PAST_COUNTS, "delete_past_counts")                                          \
    X(STAFFETTA_DELETE_COUNTS_OF, "delete_counts_of")                                              \
    X(STAFFETTA_PUT_RULE_WORD, "put_rule_word")                                                    \
    X(STAFFETTA_DELETE_RULE_WORDS_OF, "delete_rule_words_of")                                      \
    X(STAFFETTA_DELETE_PAST_RULE_WORDS, "delete_past_rule_words")                                  \
    X(STAFFETTA_ALL_RULE_WORDS, "all_rule_words")                                                  \
    X(STAFFETTA_PUT_WARM_UP, "put_warm_up")                                                        \
    X(STAFFETTA_ALL_WARM_UPS, "all_warm_ups")                                                      \
    X(STAFFETTA_PUT_LOGIN_NETWORK, "put_login_network")                                            \
    X(STAFFETTA_ALL_LOGIN_NETWORKS, "all_login_networks")                                          \
    X(STAFFETTA_DELETE_PAST_LOGIN_NETWORKS, "delete_past_login_networks")                          \
    X(STAFFETTA_DELETE_LOGIN_NETWORKS_OF, "delete_login_networks_of")                              \
    X(STAFFETTA_ALL_ADMINS, "all_admins")                                                          \
    X(STAFFETTA_ALL_PROFILES, "all_profiles")                                                      \
    X(STAFFETTA_ALL_RECOVERY_CODES, "all_recovery_codes")                                          \
    X(STAFFETTA_ALL_PANEL_SESSIONS, "all_panel_sessions")                                          \
    X(STAFFETTA_ALL_TOKENS, "all_tokens")                                                          \
    X(STAFFETTA_ADD_ADMIN, "add_admin")                                                            \
    X(STAFFETTA_COUNT_OWNERS, "count_owners")                                                      \
    X(STAFFETTA_COUNT_TOKENS, "count_tokens")                                                      \
    X(STAFFETTA_COUNT_APP_PASSWORDS, "count_app_passwords")                                        \
    X(STAFFETTA_COUNT_ADMINS, "count_admins")                                                      \
    X(STAFFETTA_DELETE_ADMIN, "delete_admin")                                                      \
    X(STAFFETTA_SET_ADMIN_ROLE, "set_admin_role")                                                  \
    X(STAFFETTA_SET_ADMIN_HASH, "set_admin_hash")                                                  \
    X(STAFFETTA_ENABLE_ADMIN, "enable_admin")                                                      \
    X(STAFFETTA_NOTE_ADMIN_LOGIN, "note_admin_login")                                              \
    X(STAFFETTA_SET_PREFERENCES, "set_preferences")                                                \
    X(STAFFETTA_SET_FACTOR, "set_factor")                                                          \
    X(STAFFETTA_USE_STEP, "use_step")                                                              \
    X(STAFFETTA_DELETE_RECOVERY_CODES, "delete_recovery_codes")                                    \
    X(STAFFETTA_ADD_RECOVERY_CODE, "add_recovery_code")                                            \
    X(STAFFETTA_USE_RECOVERY_CODE, "use_recovery_code")                                            \
    X(STAFFETTA_DELETE_PROFILE, "delete_profile")                                                  \
    X(STAFFETTA_DELETE_LOST_PROFILES, "delete_lost_profiles")                                      \
    X(STAFFETTA_DELETE_LOST_RECOVERY_CODES, "delete_lost_recovery_codes")                          \
    X(STAFFETTA_ADD_PANEL_SESSION, "add_panel_session")                                            \
    X(STAFFETTA_SEE_PANEL_SESSION, "see_panel_session")                                            \
    X(STAFFETTA_DELETE_PANEL_SESSION, "delete_panel_session")                                      \
    X(STAFFETTA_DELETE_PANEL_SESSIONS_OF, "delete_panel_sessions_of")                              \
    X(STAFFETTA_DELETE_PAST_PANEL_SESSIONS, "delete_past_panel_sessions")                          \
    X(STAFFETTA_DELETE_SURPLUS_PANEL_SESSIONS, "delete_surplus_panel_sessions")                    \
    X(STAFFETTA_ADD_TOKEN, "add_token")                                                            \
    X(STAFFETTA_DELETE_TOKEN, "delete_token")                                                      \
    X(STAFFETTA_DELETE_TOKENS_OF, "delete_tokens_of")                                              \
    X(STAFFETTA_NOTE_TOKEN_USE, "note_token_use")                                                  \
    X(STAFFETTA_ADD_AUDIT, "add_audit")                                                            \
    X(STAFFETTA_DELETE_OLD_AUDIT_OF, "delete_old_audit_of")                                        \
    X(STAFFETTA_DELETE_OLD_AUDIT_OF_USERS, "delete_old_audit_of_users")                            \
    X(STAFFETTA_NEXT_AUDIT, "next_audit")                                                          \
    X(STAFFETTA_ADD_APP_PASSWORD, "add_app_password")                                              \
    X(STAFFETTA_DELETE_APP_PASSWORD, "delete_app_password")                                        \
    X(STAFFETTA_APP_PASSWORDS_OF, "app_passwords_of")

enum staffetta_statement {
#define STAFFETTA_ENUM(value, name) value,
    STAFFETTA_STATEMENTS(STAFFETTA_ENUM)
#undef STAFFETTA_ENUM
        N_STAFFETTA_STATEMENTS
};

extern const struct db_schema staffetta_schema;
