/* The sections of the page. */
#ifndef HY_CONFORM_PRIVATE_REPORT_HTML_H
#define HY_CONFORM_PRIVATE_REPORT_HTML_H

#include <halyard/conform.h>

#include <jansson.h>
#include <stdio.h>

/* "pass", "fail", "warn" or "none". */
const char *conform__html_class(hy_conform_status status);

void conform__html_failures(const json_t *report, FILE *file);
void conform__html_groups(const json_t *report, FILE *file);
void conform__html_operators(const json_t *report, FILE *file);
void conform__html_performance(const json_t *report, FILE *file);
void conform__html_slowest(const json_t *report, FILE *file);
void conform__html_cases(const json_t *report, FILE *file);

#endif
