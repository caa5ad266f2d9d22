#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "policy/receiver_files.h"
#include "relay/base/secret.h"
#include "relay/cli/call.h"
#include "relay/cli/nouns.h"
#include "relay/control/config.h"

#define DEFAULT_CONFIG "/etc/staffetta/staffetta.conf"

/* The files about receivers that the settings name, as the service would read them. */
static int check_receivers(const struct settings *settings, struct buffer *problem,
                           size_t *n_left_out)
{
    const char *const paths[N_RECEIVER_FILES] = {
        [RECEIVER_PROVIDERS] = settings->policy.providers,
        [RECEIVER_RULES] = settings->policy.reply_rules,
        [RECEIVER_CLASSES] = settings->policy.bounce_classes,
    };
    CLEANUP(buffer) struct buffer bytes = BUFFER_INIT;
    struct data_file files[N_RECEIVER_FILES];
    struct receiver_book *book = NULL;
    int error = receiver_files_read(paths, &bytes, problem);

    if (error == 0 && receiver_files_take(buffer_slice(&bytes), files))
        error = receiver_book_new(&book, files, problem);
    if (book)
        *n_left_out = book->rules.n_left_out;
    receiver_book_unref(book);
    return error;
}

static void print_file(const char *path)
{
    json_t *object = json_pack("{s:s, s:b}", "file", path, "good", 1);
    char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);

    puts(text ? text : "{}");
    free(text);
    json_decref(object);
}

/* Needs no service: reads the file as the service would. */
int config_check_main(struct options *options)
{
    const char *given = option(options, "config");
    const char *path = options->n_arguments ? options->arguments[0]
                       : given              ? given
                                            : DEFAULT_CONFIG;
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct settings *settings = NULL;
    size_t n_left_out = 0;
    int error = config_load(&settings, path, &text, &problem);

    if (error == 0)
        error = check_receivers(settings, &problem, &n_left_out);
    settings_unref(settings);
    if (error < 0) {
        fprintf(stderr, "%.*s", (int)problem.len, problem.data ? problem.data : "");
        return EX_CONFIG;
    }
    if (options->wants_json)
        print_file(path);
    else
        print_line("%s: good", path);
    if (n_left_out && !options->wants_json)
        print_line("%zu built-in reply rules are left out: their providers are not in `policy { "
                   "providers }`",
                   n_left_out);
    return EX_OK;
}

/* Needs no service: what an operator copies to correct it. */
int config_built_in(struct options *options)
{
    static const char *const names[N_RECEIVER_FILES] = {
        [RECEIVER_PROVIDERS] = "providers",
        [RECEIVER_RULES] = "reply_rules",
        [RECEIVER_CLASSES] = "bounce_classes",
    };

    for (int i = 0; i < N_RECEIVER_FILES; i++) {
        struct slice text = receiver_book_built_in((enum receiver_file)i).text;

        if (strcmp(options->arguments[0], names[i]) == 0)
            return fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0
                       ? EX_OK
                       : EX_IOERR;
    }
    print_complaint("built in are providers, reply_rules and bounce_classes");
    return EX_USAGE;
}

static void print_setting(json_t *item, bool explains)
{
    const char *section = json_string_value(json_object_get(item, "section"));
    const char *title = json_string_value(json_object_get(item, "title"));
    CLEANUP(free) char *name = print_member(item, "name");
    CLEANUP(free) char *value = print_member(item, "value");
    CLEANUP(free) char *help = print_member(item, "help");
    CLEANUP(free) char *default_value = print_member(item, "default");

    print_line("%s%s%s%s%s = %s", section ? section : "", title ? "." : "", title ? title : "",
               section ? "." : "", name, value);
    if (explains)
        print_line("    %s (default: %s)%s", help, default_value,
                   json_is_true(json_object_get(item, "needs_restart")) ? "; needs a restart" : "");
}

int config_show_main(struct options *options)
{
    static const struct column none[] = {
        {NULL, NULL}
    };
    struct answer answer;
    int exit_code = client_ask(options, "GET", "/api/v1/config", NULL, &answer);
    json_t *items = json_object_get(answer.body, "items");
    size_t index;
    json_t *item;

    if (exit_code == EX_OK && option_is_set(options, "changed"))
        for (size_t i = json_array_size(items); i > 0; i--)
            if (!json_is_true(json_object_get(json_array_get(items, i - 1), "changed")))
                json_array_remove(items, i - 1);
    if (exit_code == EX_OK && options->wants_json)
        print_items(options, items, none);
    else if (exit_code == EX_OK)
        json_array_foreach(items, index, item)
            print_setting(item, option_is_set(options, "explain"));
    json_decref(answer.body);
    return exit_code;
}
