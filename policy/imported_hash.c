/* The only file that includes crypt.h. */
#include "policy/imported_hash.h"

#include <crypt.h>
#include <openssl/evp.h>

#include "relay/base/secret.h"

enum {
    MOST_BCRYPT_COST = 14,
    MOST_SHA_CRYPT_ROUNDS = 1000000,
    MOST_PBKDF2_ROUNDS = 1000000,
    PBKDF2_BYTES = 20, /* Dovecot's: HMAC-SHA1 */
    MOST_ARGON2_KIB = 256 * 1024,
    MOST_ARGON2_KIB_PASSES = 1024 * 1024,
    BCRYPT_LENGTH = 60,
    DIGEST_ROOM = 256, /* decoded digest and salt */
};

enum hash_kind { HASH_CRYPT, HASH_ARGON2, HASH_DIGEST, HASH_PBKDF2 };

/* What a hash says about itself; the slice looks into it. */
struct parsed_hash {
    enum hash_kind kind;
    const char *digest; /* HASH_DIGEST: OpenSSL's name */
    bool is_salted;     /* HASH_DIGEST: bytes behind the digest are salt */
    bool is_hex;        /* HASH_DIGEST: not base64 */
    struct slice body;  /* without {SCHEME} */
};

static const char too_costly[] = "the hash costs too much to check at every login";
static const char malformed[] = "the hash is malformed";
static const char unknown[] = "hashes of this kind cannot be imported";

/* ---- crypt(3) strings ---- */

static const char *check_md5_crypt(struct slice body)
{
    return body.len >= 3 + 22 ? NULL : malformed;
}

static const char *check_bcrypt(struct slice body)
{
    uint64_t cost;

    if (body.len != BCRYPT_LENGTH || body.data[6] != '$' ||
        !slice_to_number(slice_from(body.data + 4, 2), 31, &cost))
        return malformed;
    return cost <= MOST_BCRYPT_COST ? NULL : too_costly;
}

static const char *check_sha_crypt(struct slice body)
{
    struct slice rest = slice_skip(body, 3);
    uint64_t rounds;

    if (slice_starts_with(rest, SLICE_LITERAL("rounds="))) {
        ptrdiff_t end;

        rest = slice_skip(rest, 7);
        end = slice_find(rest, '$');
        if (end < 0 || !slice_to_number(slice_head(rest, (size_t)end), UINT32_MAX, &rounds))
            return malformed;
        if (rounds > MOST_SHA_CRYPT_ROUNDS)
            return too_costly;
    }
    return body.len >= 3 + 43 ? NULL : malformed;
}

static bool is_crypt_digit(char c)
{
    return (c >= '.' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "$y$j9T$salt$hash": flavour, log2 of N, r, each in the alphabet ./0-9A-Za-z.  N above B (2^14) or
 * r above T (32) means more than 64 MiB. */
static const char *check_yescrypt(struct slice body)
{
    if (body.len < 7 + 43 || body.data[3] != 'j' || !is_crypt_digit(body.data[4]) ||
        !is_crypt_digit(body.data[5]) || body.data[6] != '$')
        return malformed;
    return body.data[4] <= 'B' && body.data[5] <= 'T' ? NULL : too_costly;
}

/* "m=65536,t=3,p=4" somewhere behind the version: the number behind "name=". */
static bool argon2_parameter(struct slice body, const char *name, uint64_t *out)
{
    ptrdiff_t at = slice_search(body, slice_of(name));
    struct slice digits = slice_skip(body, at < 0 ? 0 : (size_t)at + strlen(name));
    size_t len = 0;

    while (len < digits.len && digits.data[len] >= '0' && digits.data[len] <= '9')
        len++;
    return at >= 0 && slice_to_number(slice_head(digits, len), UINT32_MAX, out);
}

static const char *check_argon2(struct slice body)
{
    uint64_t kib, passes;

    if (body.len >= PASSWORD_HASH_SIZE || !argon2_parameter(body, "$m=", &kib) ||
        !argon2_parameter(body, ",t=", &passes))
        return malformed;
    return kib <= MOST_ARGON2_KIB && kib * passes <= MOST_ARGON2_KIB_PASSES ? NULL : too_costly;
}

static const struct crypt_kind {
    const char *prefix;
    enum hash_kind kind;
    const char *(*check)(struct slice body); /* NULL, or why it is refused */
} crypt_kinds[] = {
    {"$1$",        HASH_CRYPT,  check_md5_crypt},
    {"$2a$",       HASH_CRYPT,  check_bcrypt   },
    {"$2b$",       HASH_CRYPT,  check_bcrypt   },
    {"$2y$",       HASH_CRYPT,  check_bcrypt   },
    {"$5$",        HASH_CRYPT,  check_sha_crypt},
    {"$6$",        HASH_CRYPT,  check_sha_crypt},
    {"$y$",        HASH_CRYPT,  check_yescrypt },
    {"$argon2id$", HASH_ARGON2, check_argon2   },
    {"$argon2i$",  HASH_ARGON2, check_argon2   },
};

static const char *parse_crypt(struct slice body, struct parsed_hash *out)
{
    for (size_t i = 0; i < sizeof(crypt_kinds) / sizeof(crypt_kinds[0]); i++) {
        if (!slice_starts_with(body, slice_of(crypt_kinds[i].prefix)))
            continue;
        out->kind = crypt_kinds[i].kind;
        out->body = body;
        return crypt_kinds[i].check(body);
    }
    return unknown;
}

/* ---- Dovecot's {SCHEME} strings ---- */

static const struct scheme {
    const char *name;
    const char *prefix; /* HASH_CRYPT, HASH_ARGON2: how the body must begin */
    const char *digest; /* HASH_DIGEST */
    enum hash_kind kind;
    bool is_salted;
} schemes[] = {
    {"CRYPT",        "$",          NULL,     HASH_CRYPT,  false},
    {"MD5-CRYPT",    "$1$",        NULL,     HASH_CRYPT,  false},
    {"BLF-CRYPT",    "$2",         NULL,     HASH_CRYPT,  false},
    {"SHA256-CRYPT", "$5$",        NULL,     HASH_CRYPT,  false},
    {"SHA512-CRYPT", "$6$",        NULL,     HASH_CRYPT,  false},
    {"ARGON2I",      "$argon2i$",  NULL,     HASH_ARGON2, false},
    {"ARGON2ID",     "$argon2id$", NULL,     HASH_ARGON2, false},
    {"PBKDF2",       NULL,         NULL,     HASH_PBKDF2, true },
    {"SHA",          NULL,         "SHA1",   HASH_DIGEST, false},
    {"SHA1",         NULL,         "SHA1",   HASH_DIGEST, false},
    {"SHA256",       NULL,         "SHA256", HASH_DIGEST, false},
    {"SHA512",       NULL,         "SHA512", HASH_DIGEST, false},
    {"SSHA",         NULL,         "SHA1",   HASH_DIGEST, true },
    {"SSHA256",      NULL,         "SHA256", HASH_DIGEST, true },
    {"SSHA512",      NULL,         "SHA512", HASH_DIGEST, true },
};

static const struct scheme *find_scheme(struct slice name)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (slice_equal_ignoring_case(name, slice_of(schemes[i].name)))
            return &schemes[i];
    return NULL;
}

static int hex_digit(char c)
{
    c = ascii_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes decoded, or -1. */
static int decode_hex(struct slice text, unsigned char out[DIGEST_ROOM])
{
    if (text.len % 2 || text.len / 2 > DIGEST_ROOM)
        return -1;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);

        if (high < 0 || low < 0)
            return -1;
        out[i / 2] = (unsigned char)(high << 4 | low);
    }
    return (int)(text.len / 2);
}

static int decode_base64(struct slice text, unsigned char out[DIGEST_ROOM])
{
    int len, n_padding = 0;

    if (!text.len || text.len % 4 || text.len / 4 * 3 > DIGEST_ROOM)
        return -1;
    len = EVP_DecodeBlock(out, (const unsigned char *)text.data, (int)text.len);
    while (n_padding < 2 && text.data[text.len - 1 - (size_t)n_padding] == '=')
        n_padding++;
    return len < 0 ? -1 : len - n_padding;
}

static int decode_digest(const struct parsed_hash *hash, unsigned char out[DIGEST_ROOM])
{
    return hash->is_hex ? decode_hex(hash->body, out) : decode_base64(hash->body, out);
}

static const char *check_digest(const struct parsed_hash *hash)
{
    unsigned char bytes[DIGEST_ROOM];
    int digest_bytes = EVP_MD_get_size(EVP_get_digestbyname(hash->digest));
    int n_bytes = decode_digest(hash, bytes);

    return hash->is_salted           ? n_bytes > digest_bytes ? NULL : malformed
           : n_bytes == digest_bytes ? NULL
                                     : malformed;
}

struct pbkdf2 {
    struct slice salt;
    uint64_t rounds;
    unsigned char key[DIGEST_ROOM];
};

static struct slice next_part(struct slice *rest)
{
    ptrdiff_t end = slice_find(*rest, '$');
    struct slice part = slice_head(*rest, end < 0 ? rest->len : (size_t)end);

    *rest = slice_skip(*rest, part.len + 1);
    return part;
}

/* "$1$salt$rounds$hex of 20 bytes" */
static const char *parse_pbkdf2(struct slice body, struct pbkdf2 *out)
{
    struct slice rest = slice_skip(body, 3), rounds;

    if (!slice_starts_with(body, SLICE_LITERAL("$1$")))
        return malformed;
    out->salt = next_part(&rest);
    rounds = next_part(&rest);
    if (!slice_to_number(rounds, UINT32_MAX, &out->rounds) || !out->rounds ||
        decode_hex(rest, out->key) != PBKDF2_BYTES)
        return malformed;
    return out->rounds <= MOST_PBKDF2_ROUNDS ? NULL : too_costly;
}

static const char *check_scheme_body(const struct scheme *scheme, struct parsed_hash *out)
{
    struct pbkdf2 ignored;

    switch (scheme->kind) {
    case HASH_CRYPT:
    case HASH_ARGON2:
        return slice_starts_with(out->body, slice_of(scheme->prefix)) ? parse_crypt(out->body, out)
                                                                      : malformed;
    case HASH_DIGEST:
        return check_digest(out);
    case HASH_PBKDF2:
        return parse_pbkdf2(out->body, &ignored);
    }
    return unknown;
}

/* "{NAME}body", "{NAME.HEX}body", "{NAME.B64}body" */
static const char *parse_scheme(struct slice hash, struct parsed_hash *out)
{
    ptrdiff_t end = slice_find(hash, '}');
    struct slice name, encoding = {NULL, 0};
    const struct scheme *scheme;
    ptrdiff_t dot;

    if (end < 0)
        return malformed;
    name = slice_skip(slice_head(hash, (size_t)end), 1);
    dot = slice_find(name, '.');
    if (dot >= 0) {
        encoding = slice_skip(name, (size_t)dot + 1);
        name = slice_head(name, (size_t)dot);
    }
    scheme = find_scheme(name);
    if (!scheme)
        return unknown;
    *out = (struct parsed_hash){
        .kind = scheme->kind,
        .digest = scheme->digest,
        .is_salted = scheme->is_salted,
        .is_hex = slice_equal_ignoring_case(encoding, SLICE_LITERAL("HEX")),
        .body = slice_skip(hash, (size_t)end + 1),
    };
    return check_scheme_body(scheme, out);
}

static const char *parse(struct slice hash, struct parsed_hash *out)
{
    if (hash.len >= IMPORTED_HASH_SIZE)
        return malformed;
    for (size_t i = 0; i < hash.len; i++)
        if (hash.data[i] <= ' ' || hash.data[i] > '~')
            return malformed;
    return hash.len && hash.data[0] == '{' ? parse_scheme(hash, out) : parse_crypt(hash, out);
}

const char *imported_hash_refusal(struct slice hash)
{
    struct parsed_hash parsed = {.kind = HASH_CRYPT};

    return parse(hash, &parsed);
}

/* ---- checking a password ---- */

static bool verify_crypt(struct slice body, struct slice password)
{
    char setting[IMPORTED_HASH_SIZE], phrase[CRYPT_MAX_PASSPHRASE_SIZE];
    struct crypt_data *data;
    const char *result;
    bool is_right;

    if (slice_find(password, '\0') >= 0 || !slice_copy_to(password, phrase, sizeof(phrase)) ||
        !slice_copy_to(body, setting, sizeof(setting)))
        return false;
    data = calloc(1, sizeof(*data));
    if (!data)
        return false;
    result = crypt_rn(phrase, setting, data, sizeof(*data));
    is_right = result && strlen(result) == body.len && secret_equal(result, body.data, body.len);
    secret_wipe(data, sizeof(*data));
    secret_wipe(phrase, sizeof(phrase));
    free(data);
    return is_right;
}

static bool verify_argon2(struct slice body, struct slice password)
{
    char hash[PASSWORD_HASH_SIZE];

    return slice_copy_to(body, hash, sizeof(hash)) && password_verify_argon2(hash, password);
}

static bool verify_digest(const struct parsed_hash *hash, struct slice password)
{
    const EVP_MD *digest = EVP_get_digestbyname(hash->digest);
    unsigned char stored[DIGEST_ROOM], computed[EVP_MAX_MD_SIZE];
    int n_stored = decode_digest(hash, stored), size = EVP_MD_get_size(digest);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_right;

    is_right = context && n_stored >= size && EVP_DigestInit_ex(context, digest, NULL) == 1 &&
               EVP_DigestUpdate(context, password.data, password.len) == 1 &&
               EVP_DigestUpdate(context, stored + size, (size_t)(n_stored - size)) == 1 &&
               EVP_DigestFinal_ex(context, computed, NULL) == 1 &&
               secret_equal(stored, computed, (size_t)size);
    EVP_MD_CTX_free(context);
    return is_right;
}

static bool verify_pbkdf2(struct slice body, struct slice password)
{
    unsigned char computed[PBKDF2_BYTES];
    struct pbkdf2 pbkdf2;

    return !parse_pbkdf2(body, &pbkdf2) &&
           PKCS5_PBKDF2_HMAC(password.data, (int)password.len,
                             (const unsigned char *)pbkdf2.salt.data, (int)pbkdf2.salt.len,
                             (int)pbkdf2.rounds, EVP_sha1(), PBKDF2_BYTES, computed) == 1 &&
           secret_equal(computed, pbkdf2.key, PBKDF2_BYTES);
}

bool imported_hash_verify(struct slice hash, struct slice password)
{
    struct parsed_hash parsed = {.kind = HASH_CRYPT};

    if (parse(hash, &parsed))
        return false;
    switch (parsed.kind) {
    case HASH_CRYPT:
        return verify_crypt(parsed.body, password);
    case HASH_ARGON2:
        return verify_argon2(parsed.body, password);
    case HASH_DIGEST:
        return verify_digest(&parsed, password);
    case HASH_PBKDF2:
        return verify_pbkdf2(parsed.body, password);
    }
    return false;
}

bool imported_hash_is_native(struct slice hash)
{
    return slice_starts_with(hash, SLICE_LITERAL("$argon2id$v=19$m=19456,t=2,p=1$"));
}
