#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "relay/base/buffer.h"
#include "relay/base/secret.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"

#define DKIM "/api/v1/dkim"

enum { PEM_MAX_BYTES = 64 * 1024 };

/* The three shapes that people paste. */
static void print_records(const struct options *options, json_t *body)
{
    static const struct column none[] = {
        {NULL, NULL}
    };
    size_t index;
    json_t *item;

    if (options->wants_json) {
        print_items(options, json_object_get(body, "items"), none);
        return;
    }
    json_array_foreach(json_object_get(body, "items"), index, item)
    {
        CLEANUP(free) char *name = print_member(item, "record_name");
        CLEANUP(free) char *type = print_member(item, "type");
        const char *bind = json_string_value(json_object_get(item, "bind"));
        const char *strings = json_string_value(json_object_get(item, "strings"));
        const char *value = json_string_value(json_object_get(item, "value"));

        print_line("%s; %s key, %s", index ? "\n" : "", type,
                   json_is_true(json_object_get(item, "active")) ? "active" : "not active");
        print_line("; line for BIND");
        print_line("%s", bind ? bind : "");
        print_line("; name\n%s", name);
        print_line("; value in strings of at most 255 bytes\n%s", strings ? strings : "");
        print_line("; plain value\n%s", value ? value : "");
    }
}

/* 0 or the exit code after a sentence. */
static int read_pem(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "re");
    char chunk[4096];
    size_t n;
    bool has_failed = !file || buffer_reserve(out, PEM_MAX_BYTES + sizeof(chunk)) < 0;

    while (!has_failed && out->len <= PEM_MAX_BYTES && (n = fread(chunk, 1, sizeof(chunk), file)))
        buffer_append(out, slice_from(chunk, n));
    has_failed = has_failed || ferror(file);
    if (has_failed)
        perror(path);
    if (file)
        fclose(file);
    secret_wipe(chunk, sizeof(chunk));
    if (has_failed)
        return EX_NOINPUT;
    if (out->len > 0 && out->len <= PEM_MAX_BYTES)
        return EX_OK;
    fprintf(stderr, "staffetta: %s is no key in PEM\n", path);
    return EX_DATAERR;
}

static int add_pem(const struct options *options, json_t *body)
{
    const char *path = option(options, "import");
    struct buffer pem = BUFFER_INIT;
    int exit_code = path ? read_pem(path, &pem) : EX_OK;

    if (path && exit_code == EX_OK &&
        json_object_set_new(body, "pem", json_stringn(pem.data, pem.len))) {
        fprintf(stderr, "staffetta: %s is no key in PEM\n", path);
        exit_code = EX_DATAERR;
    }
    if (pem.data)
        secret_wipe(pem.data, pem.capacity);
    buffer_fini(&pem);
    return exit_code;
}

int dkim_new(struct options *options)
{
    const char *selector = option(options, "selector");
    const char *type = option(options, "type");
    char dated[32];
    time_t now = time(NULL);
    struct answer answer;
    json_t *body;
    int exit_code;

    strftime(dated, sizeof(dated), "s%Y%m",
             localtime(&now)); /* a month is a good life for a name */
    body = json_pack("{s:s, s:s, s:s}", "domain", options->arguments[0], "selector",
                     selector ? selector : dated, "type", type ? type : "both");
    exit_code = body ? add_pem(options, body) : EX_DATAERR;
    if (exit_code != EX_OK) {
        json_decref(body);
        return exit_code;
    }
    exit_code = client_ask(options, "POST", DKIM, body, &answer);
    if (exit_code == EX_OK)
        print_records(options, answer.body);
    json_decref(answer.body);
    return exit_code;
}

int dkim_dns(struct options *options)
{
    const char *selector = option(options, "selector");
    CLEANUP(free) char *path = call_path(DKIM "/%s", options->arguments[0]);
    CLEANUP(free) char *escaped = client_escape(selector ? selector : "");
    CLEANUP(free) char *whole = NULL;
    struct answer answer;
    int exit_code;

    if (asprintf(&whole, "%s%s%s", path, selector ? "?selector=" : "", escaped) < 0)
        return EX_OSERR;
    exit_code = client_ask(options, "GET", whole, NULL, &answer);
    if (exit_code == EX_OK)
        print_records(options, answer.body);
    json_decref(answer.body);
    return exit_code;
}

int dkim_list(struct options *options)
{
    static const struct column columns[] = {
        {"domain",   "DOMAIN"  },
        {"selector", "SELECTOR"},
        {"type",     "TYPE"    },
        {"active",   "ACTIVE"  },
        {"judged",   "JUDGED"  },
        {"created",  "CREATED" },
        {NULL,       NULL      }
    };

    return call_list(options, DKIM, columns);
}
