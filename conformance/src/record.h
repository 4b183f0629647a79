/* The lines of results.jsonl as JSON: made here, read back with the getters that take any shape. */
#ifndef HY_CONFORM_PRIVATE_RECORD_H
#define HY_CONFORM_PRIVATE_RECORD_H

#include "select.h"
#include "supervisor.h"
#include "waiver.h"

#include <jansson.h>

/* Text of a plugin may be no UTF-8: then what is not ASCII becomes '?'. */
json_t *conform__record_text(const char *text);
/* JSON has no infinity and no NaN: they are texts, "inf", "-inf" and "nan". */
json_t *conform__record_number(double value);

/* {"record": "run"}: what is judged, by what, on which machine. description NULL: the plugin could not say. */
json_t *conform__record_run(const hy_conform_options *options, const conform_selection *selection,
                            const worker_description *description, const conform_waivers *waivers);
/* The run's member "waivers". */
json_t *conform__record_waivers(const conform_waivers *waivers);
/* One case's end; waiver NULL: none. */
json_t *conform__record_case(const hy_conform_case_info *info, const supervisor_result *result,
                             const conform_waiver *waiver);
/* {"record": "end"}. */
json_t *conform__record_end(const hy_conform_summary *summary);

/* "" or 0 where the member is absent or of another type. */
const char *conform__record_get(const json_t *record, const char *name);
int64_t conform__record_integer(const json_t *record, const char *name);
/* Also of what record_number wrote as text. */
double conform__record_real(const json_t *record, const char *name);
/* The record's status; COUNT when it is none. */
hy_conform_status conform__record_status(const json_t *record);
/* True for the line of a case. */
bool conform__record_is_case(const json_t *record);

#endif
