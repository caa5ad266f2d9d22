/* Who gets in, and what is one's own. */
#include "webui/route.h"
#include "webui/routes.h"

#define SETUP    "code=text user=text password=text language=text"
#define LOGIN    "user=text password=text code=any_text"
#define CONFIRM  "password=text code=any_text"
#define LOOK     "language=any_text theme=any_text"
#define ADMIN    "name=text role=text password=text"
#define TOKEN    "name=text scopes=texts expires_seconds=number networks=texts"
#define MY_WORDS "password=text new_password=text"

static const struct route routes[] = {
    GET(API "/setup", api_setup_show, ANYBODY, NULL, NONE),
    POST(API "/setup", api_setup, ANYBODY, NULL, SETUP),
    QUIET_POST(API "/setup:code", api_setup_code, OWNER, NULL, NONE),
    GET(API "/session", api_session_show, SIGNED_IN, NULL, NONE),
    QUIET_POST(API "/session", api_session_new, ANYBODY, NULL, LOGIN),
    QUIET_DELETE(API "/session", api_session_delete, SIGNED_IN, NULL, NONE),
    QUIET_POST(API "/session:confirm", api_session_confirm, SIGNED_IN, NULL, CONFIRM),
    QUIET_POST(API "/session:preferences", api_session_preferences, SIGNED_IN, NULL, LOOK),
    GET(API "/sessions", api_sessions_list, SIGNED_IN, NULL, NONE),
    DELETE(API "/sessions/{}", api_sessions_delete, SIGNED_IN, NULL, NONE),
    GET(API "/admins", api_admins_list, ADMIN, NULL, NONE),
    CONFIRMED_POST(API "/admins", api_admins_add, OWNER, NULL, ADMIN),
    CONFIRMED_POST(API "/admins/{}:password", api_admin_password, OWNER, NULL, "password=text"),
    CONFIRMED_POST(API "/admins/{}:role", api_admin_role, OWNER, NULL, "role=text"),
    CONFIRMED_POST(API "/admins/{}:enable", api_admin_enable, OWNER, NULL, NONE),
    CONFIRMED_POST(API "/admins/{}:disable", api_admin_disable, OWNER, NULL, NONE),
    CONFIRMED_POST(API "/admins/{}:reset", api_admin_reset, OWNER, NULL, NONE),
    CONFIRMED_DELETE(API "/admins/{}", api_admin_delete, OWNER, NULL, NONE),
    GET(API "/tokens", api_tokens_list, ADMIN, NULL, NONE),
    CONFIRMED_POST(API "/tokens", api_tokens_add, ADMIN, NULL, TOKEN),
    CONFIRMED_DELETE(API "/tokens/{}", api_token_delete, ADMIN, NULL, NONE),
    GET(API "/audit", api_audit, ADMIN, "audit:read", "cursor limit"),
    GET(API "/me", api_me, SIGNED_IN, NULL, NONE),
    POST(API "/me/password", api_me_password, SIGNED_IN, NULL, MY_WORDS),
    CONFIRMED_POST(API "/me/totp:begin", api_totp_begin, SIGNED_IN, NULL, NONE),
    CONFIRMED_POST(API "/me/totp:enable", api_totp_enable, SIGNED_IN, NULL, "code=text"),
    CONFIRMED_POST(API "/me/totp:disable", api_totp_disable, SIGNED_IN, NULL, NONE),
    GET(API "/me/dns", api_me_dns, SENDER, NULL, NONE),
    GET(API "/me/setup-card", api_me_setup_card, SENDER, NULL, NONE),
    GET(API "/me/app-passwords", api_app_passwords_list, SENDER, NULL, NONE),
    CONFIRMED_POST(API "/me/app-passwords", api_app_passwords_add, SENDER, NULL, "label=text"),
    DELETE(API "/me/app-passwords/{}", api_app_password_delete, SENDER, NULL, NONE),
};

const struct route_table access_routes = {routes, sizeof(routes) / sizeof(routes[0])};
