/* Waivers: known failures that someone has answered for, until a date. The cases run all the same. */
#ifndef HY_CONFORM_PRIVATE_WAIVER_H
#define HY_CONFORM_PRIVATE_WAIVER_H

#include <halyard/conform.h>

#include <stdbool.h>

typedef struct conform_waiver {
	char glob[128], expires[16], approver[128], reason[256], conditions[256];
	bool crash; /* holds for a crash, too */
	bool applies; /* to what is judged */
} conform_waiver;

typedef struct conform_waivers conform_waivers;

/* Whom waivers are asked about; texts are lent for the call. */
typedef struct conform_identity {
	const char *plugin, *version, *device, *driver;
} conform_identity;

/* A text file, a waiver a line:
 *
 *   case-glob | expires YYYY-MM-DD | approver | reason [| condition ...]
 *
 * # begins a comment. Conditions are plugin=, version=, device= and driver=, each with a glob or a range of versions
 * LOW..HIGH (both included, either may be left out), and allow=crash. today: YYYY-MM-DD, or NULL for this day. path
 * NULL: no waivers. Fails: NOT_FOUND, INVALID with file:line (a missing part, a bad date, a date that has passed, a glob
 * that names no case, group abi). out_waivers is the caller's. */
hy_status conform__waivers_load(const char *path, const char *today, conform_waivers **out_waivers, hy_error *error);
/* The same from text; name stands in messages for the file. */
hy_status conform__waivers_parse(const char *text, size_t length, const char *name, const char *today,
                                 conform_waivers **out_waivers, hy_error *error);
void conform__waivers_free(conform_waivers *waivers);

/* Decides which conditions hold; before it, those without conditions apply. */
void conform__waivers_apply(conform_waivers *waivers, const conform_identity *identity);
/* All of them; 0 for NULL. */
uint32_t conform__waivers_items(const conform_waivers *waivers, const conform_waiver **out_items);
/* SHA-256 of the text, "" for NULL; and the text. */
const char *conform__waivers_digest(const conform_waivers *waivers);
const char *conform__waivers_text(const conform_waivers *waivers);
/* The waiver that applies to this case, or NULL. */
const conform_waiver *conform__waivers_find(const conform_waivers *waivers, const char *id);
/* What a case with this waiver (or NULL) counts as: a failure WAIVED, a pass XPASS; a hang stays what it is. */
hy_conform_status conform__waiver_status(const conform_waiver *waiver, hy_conform_status status);

#endif
