/* A submission: an archive (.tar or .tar.gz) that someone else can judge by.
 *
 *   STATEMENT      who judged what, with the verdict, and the SHA-256 of the files below
 *   results.jsonl  the lines of the run
 *   report.json    what they add up to
 *   waivers.txt    the waivers, or empty */
#ifndef HY_CONFORM_PRIVATE_SUBMISSION_H
#define HY_CONFORM_PRIVATE_SUBMISSION_H

#include <halyard/status.h>

#include <jansson.h>

typedef enum submission_file {
	SUBMISSION_STATEMENT,
	SUBMISSION_RESULTS,
	SUBMISSION_REPORT,
	SUBMISSION_WAIVERS,
	SUBMISSION_FILES
} submission_file;

typedef struct conform_submission {
	char *text[SUBMISSION_FILES]; /* each ends with a zero that is not in length */
	size_t length[SUBMISSION_FILES];
} conform_submission;

/* All four files, from the records and the waivers: the same ones give the same files. Fails NO_MEMORY. */
hy_status conform__submission_make(const json_t *records, const json_t *report, const char *waivers,
                                   conform_submission *out_submission, hy_error *error);
void conform__submission_finish(conform_submission *submission);

/* Writes the four files as they are. Fails NOT_FOUND. */
hy_status conform__submission_pack(const conform_submission *submission, const char *path, hy_error *error);
/* Makes and packs them. Fails INVALID when the run has no verdict, NOT_FOUND when the file can't be written. */
hy_status conform__submission_write(const json_t *records, const json_t *report, const char *waivers, const char *path,
                                    hy_error *error);
/* Fails NOT_FOUND when the file can't be read; INVALID when it is no archive, or holds anything but the four files, once
 * each, of sensible sizes. Nothing is written to disk. */
hy_status conform__submission_read(const char *path, conform_submission *out_submission, hy_error *error);

#endif
