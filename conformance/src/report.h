/* The report: what the records of a run add up to, as JSON (schema/halyard.conformance.v1.json), JUnit XML and a page. */
#ifndef HY_CONFORM_PRIVATE_REPORT_H
#define HY_CONFORM_PRIVATE_REPORT_H

#include <halyard/conform.h>

#include <jansson.h>
#include <stdio.h>

/* The report of these records, and of nothing else: the same records give the same report. The caller releases it. */
json_t *conform__report_build(const json_t *records);
/* Everything that options ask for: the reports in options->out with the text of the waivers ("": none), and
 * options->submission. Fails as report_write and submission_write. */
hy_status conform__report_deliver(const hy_conform_options *options, const json_t *records, const char *waivers,
                                  hy_error *error);
/* Writes report.json, junit.xml and report.html into folder; formats: "json,junit,html" or a part of it, NULL: all.
 * Fails NOT_FOUND when one can't be written, INVALID for an unknown format. */
hy_status conform__report_write(const json_t *report, const char *folder, const char *formats, hy_error *error);

/* Each writes one form of the report; nothing that came from the plugin reaches the file unescaped. */
void conform__report_junit(const json_t *report, FILE *file);
void conform__report_html(const json_t *report, FILE *file);

#endif
