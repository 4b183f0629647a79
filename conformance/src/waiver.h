/* Waivers: known failures that someone has answered for, until a date. The cases run all the same. */
#ifndef HY_CONFORM_PRIVATE_WAIVER_H
#define HY_CONFORM_PRIVATE_WAIVER_H

#include <halyard/status.h>

#include <stdbool.h>

typedef struct conform_waivers conform_waivers;

/* A text file, a waiver a line: `case-glob | expires YYYY-MM-DD | approver | reason`; # begins a comment. path NULL:
 * none. Fails: NOT_FOUND, INVALID with file:line (a missing part, a bad date, a date that has passed, a group that can't
 * be waived: abi). out_waivers is the caller's. */
hy_status conform__waivers_load(const char *path, conform_waivers **out_waivers, hy_error *error);
void conform__waivers_free(conform_waivers *waivers);
/* The reason of the waiver for this case, or NULL. */
const char *conform__waivers_find(const conform_waivers *waivers, const char *id);

#endif
