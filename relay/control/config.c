/* The only file that includes confuse.h.  libconfuse knows the syntax and the names; the values
 * are ours: every option is a string to it, checked by the row's type while the line is known. */
#include "relay/control/config.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>

#include "relay/base/file.h"
#include "relay/control/items.h"

enum { MAX_SECTIONS = 24, MAX_ITEMS = 32, MAX_FILE_BYTES = 1024 * 1024 };

/* libconfuse's callbacks carry no pointer of ours, and its lexer is global anyway. */
static struct {
    const char *path;
    struct buffer *problem;
} parsing;

static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == '\x7f')
            return true;
    return false;
}

__attribute__((format(printf, 2, 0))) static void report(cfg_t *cfg, const char *format,
                                                         va_list args)
{
    char sentence[512];

    vsnprintf(sentence, sizeof(sentence), format, args);
    /* It may quote the file, and goes to a terminal. */
    for (char *c = sentence; *c; c++)
        if (has_control(slice_from(c, 1)))
            *c = '?';
    /* cfg->filename is NULL inside untitled sections, so the path is ours. */
    buffer_printf(parsing.problem, "%s:%d: %s\n", parsing.path, cfg ? cfg->line : 0, sentence);
}

static const struct item_section *section_named(const char *name)
{
    for (size_t i = 1; i < n_item_sections; i++)
        if (strcmp(item_sections[i].name, name) == 0)
            return &item_sections[i];
    return &item_sections[0];
}

static int check_option(cfg_t *cfg, cfg_opt_t *option)
{
    const struct item_section *section = section_named(cfg_name(cfg));
    const struct item *item = item_find(section, cfg_opt_name(option));
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;

    for (unsigned i = 0; item && i < cfg_opt_size(option); i++) {
        const char *text = cfg_opt_getnstr(option, i);

        if (has_control(slice_of(text)))
            buffer_append_text(&problem, "a control character in the value");
        else if (item_is_list(item) && !(text && *text))
            buffer_append_text(&problem, "an empty text in a list");
        else if (item_check(item, text ? text : "", &problem))
            continue;
        buffer_append_byte(&problem, '\0');
        cfg_error(cfg, "%s: %s", item->name, problem.data ? problem.data : "out of memory");
        return -1;
    }
    return 0;
}

static cfg_opt_t option_of(const struct item *item)
{
    cfg_opt_t text = CFG_STR(item->name, NULL, CFGF_NODEFAULT);
    cfg_opt_t list = CFG_STR_LIST(item->name, NULL, CFGF_NODEFAULT);
    cfg_opt_t option = item_is_list(item) ? list : text;

    option.validcb = check_option;
    return option;
}

/* Fills the option tables that libconfuse wants: [0] is the top, the others its sections. */
static void make_options(cfg_opt_t options[MAX_SECTIONS][MAX_ITEMS + MAX_SECTIONS])
{
    static const cfg_opt_t end = CFG_END();
    size_t n_top = 0;

    assert(n_item_sections < MAX_SECTIONS);
    for (size_t s = 0; s < n_item_sections; s++) {
        size_t n = 0;

        assert(item_sections[s].n_items < MAX_ITEMS);
        for (size_t k = 0; k < item_sections[s].n_items; k++)
            options[s][n++] = option_of(&item_sections[s].items[k]);
        options[s][n] = end;
        if (s == 0)
            n_top = n;
    }
    for (size_t s = 1; s < n_item_sections; s++) {
        cfg_opt_t section = CFG_SEC(item_sections[s].name, options[s], CFGF_MULTI);

        if (item_sections[s].is_titled)
            section.flags |= CFGF_TITLE | CFGF_NO_TITLE_DUPES;
        options[0][n_top++] = section;
    }
    options[0][n_top] = end;
}

static int store_option(cfg_t *cfg, const struct item *item, void *base, struct arena *arena)
{
    cfg_opt_t *option = cfg_getopt(cfg, item->name);
    unsigned n = option ? cfg_opt_size(option) : 0;
    const char **texts;

    if (n == 0 && !(option && option->flags & CFGF_MODIFIED && item_is_list(item)))
        return 0; /* not in this section of the file: the default, or an earlier value, stands */
    texts = arena_alloc(arena, (n + 1) * sizeof(*texts));
    if (!texts)
        return FAULT(-ENOMEM);
    for (unsigned i = 0; i < n; i++)
        texts[i] = cfg_opt_getnstr(option, i);
    return item_store(item, base, texts, n, arena);
}

static int store_section(cfg_t *cfg, const struct item_section *section, void *base,
                         struct arena *arena)
{
    for (size_t k = 0; k < section->n_items; k++) {
        int error = store_option(cfg, &section->items[k], base, arena);

        if (error < 0)
            return error;
    }
    return 0;
}

static int store_defaults(const struct item_section *section, void *base, struct arena *arena)
{
    for (size_t k = 0; k < section->n_items; k++) {
        int error = item_store_default(&section->items[k], base, arena);

        if (error < 0)
            return error;
    }
    return 0;
}

static int store_title(cfg_t *part, char *base, struct arena *arena)
{
    struct slice title = slice_of(cfg_title(part));

    if (has_control(title)) {
        cfg_error(part, "%s: a control character in the title", cfg_name(part));
        return -EINVAL;
    }
    *(const char **)(void *)base = arena_copy(arena, title).data;
    return 0;
}

static int store_titled(cfg_t *cfg, struct settings *settings, const struct item_section *section)
{
    unsigned n = cfg_size(cfg, section->name);
    char *bases = arena_alloc(&settings->arena, (n + 1) * section->size);

    if (!bases)
        return FAULT(-ENOMEM);
    *(char **)(void *)((char *)settings + section->offset) = bases;
    *(size_t *)(void *)((char *)settings + section->count_offset) = n;
    for (unsigned i = 0; i < n; i++) {
        cfg_t *part = cfg_getnsec(cfg, section->name, i);
        char *base = bases + i * section->size;
        int error = store_defaults(section, base, &settings->arena);

        if (error == 0)
            error = store_title(part, base, &settings->arena);
        if (error == 0)
            error = store_section(part, section, base, &settings->arena);
        if (error < 0)
            return error;
    }
    return 0;
}

static int store_once(cfg_t *cfg, struct settings *settings, const struct item_section *section)
{
    void *base = (char *)settings + section->offset;
    int error = store_defaults(section, base, &settings->arena);

    if (!section->name)
        return error < 0 ? error : store_section(cfg, section, base, &settings->arena);
    /* An untitled section may be repeated; later values win. */
    for (unsigned i = 0; error == 0 && i < cfg_size(cfg, section->name); i++)
        error = store_section(cfg_getnsec(cfg, section->name, i), section, base, &settings->arena);
    return error;
}

static int store_all(cfg_t *cfg, struct settings *settings)
{
    int error = 0;

    for (size_t s = 0; error == 0 && s < n_item_sections; s++)
        error = item_sections[s].is_titled ? store_titled(cfg, settings, &item_sections[s])
                                           : store_once(cfg, settings, &item_sections[s]);
    return error;
}

__attribute__((format(printf, 2, 0))) static void ignore(cfg_t *cfg, const char *format,
                                                         va_list args)
{
    (void)cfg, (void)format, (void)args;
}

/* libconfuse says nothing when a file ends inside a string, a comment or a section: then one more
 * brace is no surprise to it. */
static bool ends_inside(cfg_opt_t *options, struct slice text)
{
    CLEANUP(buffer) struct buffer longer = BUFFER_INIT;
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    bool is_read;

    buffer_append(&longer, text);
    buffer_append(&longer, slice_from("\n}", 3)); /* its NUL too */
    if (!cfg || buffer_error(&longer) < 0) {
        cfg_free(cfg);
        return true;
    }
    cfg_set_error_function(cfg, ignore);
    is_read = cfg_parse_buf(cfg, longer.data) == CFG_SUCCESS;
    cfg_free(cfg);
    return is_read;
}

/* False after saying so: "${" would be replaced by a variable of the environment, and without its
 * "}" swallow all up to the next one, quotes or not. */
static bool names_no_variable(const char *path, struct slice text, struct buffer *problem)
{
    int line = 1;

    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.data[i] == '\n')
            line++;
        if (text.data[i] != '$' || text.data[i + 1] != '{' || (i && text.data[i - 1] == '\\'))
            continue;
        buffer_printf(problem, "%s:%d: the environment is not read; write \"\\${\"\n", path, line);
        return false;
    }
    return true;
}

static bool parse_clean_text(cfg_t *cfg, cfg_opt_t *options, const char *text,
                             struct buffer *problem)
{
    size_t before = problem->len;
    /* First: only cfg_free() takes the lexer, which is global, out of a string again. */
    bool is_open = ends_inside(options, slice_of(text));
    bool is_good = cfg_parse_buf(cfg, text) == CFG_SUCCESS;

    if (is_good && is_open)
        cfg_error(cfg, "the file ends inside a string, a comment or a section");
    else if (!is_good && problem->len == before)
        cfg_error(cfg, "a name or a value is missing");
    return problem->len == before;
}

static cfg_t *parse_text(cfg_opt_t *options, const char *path, struct slice text,
                         struct buffer *problem)
{
    CLEANUP(free) char *copy = slice_to_string(text);
    cfg_t *cfg = copy ? cfg_init(options, CFGF_NONE) : NULL;

    if (!cfg)
        return NULL;
    parsing.path = path;
    parsing.problem = problem;
    cfg_set_error_function(cfg, report);
    if (memchr(text.data, '\0', text.len)) {
        buffer_printf(problem, "%s: contains a NUL byte\n", path);
    } else if (names_no_variable(path, text, problem) &&
               parse_clean_text(cfg, options, copy, problem)) {
        return cfg;
    }
    cfg_free(cfg);
    return NULL;
}

static int parse_as_it_is(struct settings **out, const char *path, struct slice text,
                          struct buffer *problem)
{
    cfg_opt_t options[MAX_SECTIONS][MAX_ITEMS + MAX_SECTIONS];
    struct settings *settings;
    cfg_t *cfg;
    int error;

    make_options(options);
    cfg = parse_text(options[0], path, text.data ? text : slice_of(""), problem);
    if (!cfg)
        return -EINVAL;
    settings = calloc(1, sizeof(*settings));
    error = settings ? store_all(cfg, settings) : FAULT(-ENOMEM);
    cfg_free(cfg);
    if (settings)
        settings->n_references = 1;
    if (error == 0)
        error = config_check(settings, path, problem);
    if (error < 0) {
        settings_unref(settings);
        return error;
    }
    *out = settings;
    return 0;
}

/* The digits of an escape at text, up to most of them, all zeros: their number, else 0. */
static size_t n_zeros(const char *text, size_t most, const char *digits)
{
    size_t n = strspn(text, digits);

    n = n < most ? n : most;
    return strspn(text, "0") >= n ? n : 0;
}

/* Turns each "\0", "\000", "\x00" into "\1" and so on; true when there was one.  Inside double
 * quotes it would cut the value short, unseen; elsewhere it is nothing special. */
static bool show_nuls(char *text)
{
    bool was_there = false;

    for (char *c = text; *c; c++) {
        size_t n_octal, n_hex;

        if (*c != '\\' || !c[1])
            continue;
        n_octal = n_zeros(c + 1, 3, "01234567");
        n_hex = c[1] == 'x' ? n_zeros(c + 2, 2, "0123456789abcdefABCDEF") : 0;
        if (n_octal)
            c[n_octal] = '1';
        else if (n_hex)
            c[1 + n_hex] = '1';
        was_there = was_there || n_octal || n_hex;
        c++; /* what is escaped begins no escape */
    }
    return was_there;
}

/* 0, or -EINVAL after saying where: then it is one control character among others. */
static int check_nuls(const char *path, struct slice text, struct buffer *problem)
{
    CLEANUP(free) char *copy = slice_to_string(text);
    struct settings *settings = NULL;
    int error = 0;

    if (!copy)
        return FAULT(-ENOMEM);
    if (show_nuls(copy))
        error = parse_as_it_is(&settings, path, slice_of(copy), problem);
    settings_unref(settings);
    return error;
}

int config_parse(struct settings **out, const char *path, struct slice text, struct buffer *problem)
{
    int error = check_nuls(path, text.data ? text : slice_of(""), problem);

    return error < 0 ? error : parse_as_it_is(out, path, text, problem);
}

int config_load(struct settings **out, const char *path, struct buffer *text,
                struct buffer *problem)
{
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = fd < 0 ? -errno : 0;

    buffer_clear(text);
    if (error == 0)
        error = file_read_all(fd, MAX_FILE_BYTES, text);
    if (error < 0) {
        buffer_printf(problem, "%s: %s\n", path, error == -EFBIG ? "over 1 MiB" : strerror(-error));
        return -EINVAL;
    }
    return config_parse(out, path, buffer_slice(text), problem);
}
