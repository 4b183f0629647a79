/* Submissions, made and read back. */
#include "submission.h"

#include "record.h"
#include "results.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { BYTES_MAX = 64 << 20, BLOCK = 65536 };

static const char *const names[SUBMISSION_FILES] = {"STATEMENT", "results.jsonl", "report.json", "waivers.txt"};

void conform__submission_finish(conform_submission *submission)
{
	for (int i = 0; i < SUBMISSION_FILES; i++)
		free(submission->text[i]);
	*submission = (conform_submission){.text = {NULL}};
}

/* ---- what is in it ---- */

/* A name with an end of line in it shall not look like a line of ours. */
static void put_line(FILE *file, const char *label, const char *text)
{
	fprintf(file, "%-8s ", label);
	for (; *text != '\0'; text++)
		fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, file);
	fputc('\n', file);
}

static char *print_statement(const json_t *records, const json_t *report, const conform_submission *s,
                             const char *chain)
{
	const json_t *run = json_array_get(records, 0), *plugin = json_object_get(run, "plugin");
	const json_t *device = json_object_get(run, "device"), *verdict = json_object_get(report, "verdict");
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);
	if (file == NULL) return NULL;
	char plugin_text[256], waivers[32];
	snprintf(plugin_text, sizeof(plugin_text), "%s %s", conform__record_get(plugin, "name"),
	         conform__record_get(plugin, "version"));
	snprintf(waivers, sizeof(waivers), "%zu", json_array_size(json_object_get(run, "waivers")));
	const struct {
		const char *label, *text;
	} lines[] = {{"verdict", conform__record_get(verdict, "text")},
	             {"suite", conform__record_get(run, "suite")},
	             {"list", conform__record_get(run, "list")},
	             {"abi", conform__record_get(run, "abi")},
	             {"run", conform__record_get(run, "id")},
	             {"started", conform__record_get(run, "started")},
	             {"plugin", plugin_text},
	             {"sha256", conform__record_get(plugin, "sha256")},
	             {"device", conform__record_get(device, "name")},
	             {"driver", conform__record_get(device, "driver")},
	             {"waivers", waivers},
	             {"chain", chain}};
	fputs("Halyard conformance submission\n\n", file);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		put_line(file, lines[i].label, lines[i].text);
	fputc('\n', file);
	for (int i = SUBMISSION_RESULTS; i < SUBMISSION_FILES; i++) {
		char digest[CONFORM_DIGEST];
		conform__digest_pair(s->text[i], s->length[i], "", 0, digest);
		fprintf(file, "%s  %s\n", digest, names[i]);
	}
	if (fclose(file) == 0) return text;
	free(text);
	return NULL;
}

hy_status conform__submission_make(const json_t *records, const json_t *report, const char *waivers,
                                   conform_submission *out_submission, hy_error *error)
{
	char chain[CONFORM_DIGEST];
	conform_submission s = {.text = {[SUBMISSION_RESULTS] = conform__results_print(records, chain),
	                                 [SUBMISSION_REPORT] = json_dumps(report, JSON_INDENT(1)),
	                                 [SUBMISSION_WAIVERS] = strdup(waivers)}};
	bool whole = true;
	for (int i = SUBMISSION_RESULTS; i < SUBMISSION_FILES; i++) {
		whole = whole && s.text[i] != NULL;
		s.length[i] = s.text[i] == NULL ? 0 : strlen(s.text[i]);
	}
	if (whole) s.text[SUBMISSION_STATEMENT] = print_statement(records, report, &s, chain);
	if (s.text[SUBMISSION_STATEMENT] == NULL) {
		conform__submission_finish(&s);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for a submission");
	}
	s.length[SUBMISSION_STATEMENT] = strlen(s.text[SUBMISSION_STATEMENT]);
	*out_submission = s;
	return HY_OK;
}

/* ---- writing ---- */

static bool write_entries(struct archive *to, const conform_submission *s)
{
	struct archive_entry *entry = archive_entry_new();
	bool written = entry != NULL;
	for (int i = 0; written && i < SUBMISSION_FILES; i++) {
		archive_entry_clear(entry);
		archive_entry_set_pathname(entry, names[i]);
		archive_entry_set_size(entry, (la_int64_t)s->length[i]);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_mtime(entry, time(NULL), 0);
		written = archive_write_header(to, entry) == ARCHIVE_OK &&
		          archive_write_data(to, s->text[i], s->length[i]) == (la_ssize_t)s->length[i];
	}
	archive_entry_free(entry);
	return written;
}

hy_status conform__submission_pack(const conform_submission *submission, const char *path, hy_error *error)
{
	struct archive *to = archive_write_new();
	const size_t length = strlen(path);
	bool written = to != NULL && archive_write_set_format_ustar(to) == ARCHIVE_OK;
	if (written && length > 3 && strcmp(path + length - 3, ".gz") == 0)
		written = archive_write_add_filter_gzip(to) == ARCHIVE_OK;
	written = written && archive_write_open_filename(to, path) == ARCHIVE_OK && write_entries(to, submission) &&
	          archive_write_close(to) == ARCHIVE_OK;
	const char *why = to != NULL ? archive_error_string(to) : NULL;
	if (!written)
		hy_error_set(error, HY_NOT_FOUND, "%s can't be written: %s", path, why != NULL ? why : "no memory");
	archive_write_free(to);
	return written ? HY_OK : HY_NOT_FOUND;
}

hy_status conform__submission_write(const json_t *records, const json_t *report, const char *waivers, const char *path,
                                    hy_error *error)
{
	const json_t *verdict = json_object_get(report, "verdict");
	const int64_t code = conform__record_integer(verdict, "exit");
	if (code != HY_CONFORM_CONFORMANT && code != HY_CONFORM_NOT_CONFORMANT)
		return hy_error_set(error, HY_INVALID, "no submission is written without a verdict: %s",
		                    conform__record_get(verdict, "text"));
	conform_submission s;
	hy_status status = conform__submission_make(records, report, waivers, &s, error);
	if (status != HY_OK) return status;
	status = conform__submission_pack(&s, path, error);
	conform__submission_finish(&s);
	return status;
}

/* ---- reading ---- */

static hy_status read_entry(struct archive *from, const char *path, int which, conform_submission *s, hy_error *error)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);
	char *block = malloc(BLOCK);
	la_ssize_t count = 0;
	while (file != NULL && block != NULL && (count = archive_read_data(from, block, BLOCK)) > 0) {
		if (fwrite(block, 1, (size_t)count, file) != (size_t)count || fflush(file) != 0 || length > BYTES_MAX)
			break;
	}
	const bool whole = file != NULL && block != NULL && count == 0;
	free(block);
	if (file != NULL) fclose(file);
	if (!whole || memchr(text, '\0', length) != NULL) {
		free(text);
		return hy_error_set(error, HY_INVALID, "%s: %s is damaged or larger than %d MiB", path, names[which],
		                    BYTES_MAX >> 20);
	}
	s->text[which] = text;
	s->length[which] = length;
	return HY_OK;
}

static hy_status refuse_entry(const char *path, const char *name, const char *why, hy_error *error)
{
	char shown[64];
	snprintf(shown, sizeof(shown), "%s", name == NULL ? "?" : name);
	for (char *at = shown; *at != '\0'; at++)
		if (*at < ' ' || *at > '~') *at = '?';
	return hy_error_set(error, HY_INVALID, "%s: '%s' %s", path, shown, why);
}

static hy_status read_entries(struct archive *from, const char *path, conform_submission *s, hy_error *error)
{
	struct archive_entry *entry;
	int answer;
	while ((answer = archive_read_next_header(from, &entry)) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(entry);
		int which = 0;
		while (which < SUBMISSION_FILES && (name == NULL || strcmp(name, names[which]) != 0))
			which++;
		if (which == SUBMISSION_FILES)
			return refuse_entry(path, name, "does not belong in a submission", error);
		if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != NULL)
			return refuse_entry(path, name, "is not a plain file", error);
		if (s->text[which] != NULL) return refuse_entry(path, name, "is there twice", error);
		const hy_status status = read_entry(from, path, which, s, error);
		if (status != HY_OK) return status;
	}
	if (answer != ARCHIVE_EOF)
		return hy_error_set(error, HY_INVALID, "%s is no .tar or .tar.gz archive, or damaged", path);
	for (int i = 0; i < SUBMISSION_FILES; i++)
		if (s->text[i] == NULL) return hy_error_set(error, HY_INVALID, "%s: %s is missing", path, names[i]);
	return HY_OK;
}

hy_status conform__submission_read(const char *path, conform_submission *out_submission, hy_error *error)
{
	struct stat info;
	if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
		return hy_error_set(error, HY_NOT_FOUND, "%s is no file that can be read", path);
	conform_submission s = {.text = {NULL}};
	struct archive *from = archive_read_new();
	hy_status status = HY_OK;
	if (from == NULL || archive_read_support_format_tar(from) != ARCHIVE_OK ||
	    archive_read_support_filter_gzip(from) != ARCHIVE_OK)
		status = hy_error_set(error, HY_INTERNAL, "libarchive can't read tar.gz here");
	else if (archive_read_open_filename(from, path, BLOCK) != ARCHIVE_OK)
		status = hy_error_set(error, HY_INVALID, "%s is no .tar or .tar.gz archive", path);
	else
		status = read_entries(from, path, &s, error);
	archive_read_free(from);
	if (status == HY_OK)
		*out_submission = s;
	else
		conform__submission_finish(&s);
	return status;
}
