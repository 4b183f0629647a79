/* results.jsonl: what a run found, a JSON object a line, written and flushed as it is found.
 *
 * The first line is the run ("record": "run"), then one per case, then the end ("record": "end"). Each line ends with
 * "chain", the SHA-256 of the chain of the line before (64 zeros for the first) and of this line without its chain: a
 * line that was changed, added, moved or left out shows. */
#ifndef HY_CONFORM_PRIVATE_RESULTS_H
#define HY_CONFORM_PRIVATE_RESULTS_H

#include "digest.h"

#include <jansson.h>
#include <stdio.h>

typedef struct conform_results {
	FILE *file; /* NULL: nothing is written */
	char chain[CONFORM_DIGEST];
	json_t *records; /* array: all that was added */
} conform_results;

/* path NULL: the records are kept in memory only. Fails NOT_FOUND when the file can't be written. */
hy_status conform__results_create(conform_results *out_results, const char *path, hy_error *error);
/* NULL is no memory, and ends nothing. */
void conform__results_add(conform_results *results, json_t *take_record);
void conform__results_finish(conform_results *results);

/* The lines of these records, as they stand in the file; the caller frees it. NULL: no memory. */
char *conform__results_print(const json_t *records, char out_chain[CONFORM_DIGEST]);

/* Reads lines back; the records of out_records have no chain. A text that ends early is fine: what is missing is for the
 * caller to see. Fails INVALID with name:line, what is wrong and what was expected. name: for messages. */
hy_status conform__results_parse(const char *text, size_t length, const char *name, json_t **out_records,
                                 hy_error *error);

#endif
