/* The verdict, from the records of a run and nothing else. */
#ifndef HY_CONFORM_PRIVATE_VERDICT_H
#define HY_CONFORM_PRIVATE_VERDICT_H

#include <halyard/conform.h>

#include <jansson.h>

/* records: an array as in results.jsonl; the first is the run. Fills all but the time. */
void conform__verdict(const json_t *records, hy_conform_summary *out_summary);
/* Statuses that leave a plugin conformant. */
bool conform__verdict_holds(hy_conform_status status);
/* "CONFORMANT", "NOT CONFORMANT", ... */
const char *conform__verdict_name(hy_conform_verdict verdict);

#endif
