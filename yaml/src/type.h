/* The kinds of numbers with units. */
#ifndef HY_YAML_TYPE_H
#define HY_YAML_TYPE_H

#include <halyard/yaml.h>

typedef struct hy_yaml__unit {
	const char *name;
	double factor;
} hy_yaml__unit;

typedef struct hy_yaml__type {
	const char *form; /* "bytes: write 4096, 80Gi or 25G" */
	const char *unit; /* what numbers are in, " ns" */
	uint32_t unit_count;
	const hy_yaml__unit *units; /* the unit "" allows a bare number */
} hy_yaml__type;

/* Of a type that is a number, else NULL. */
const hy_yaml__type *hy_yaml__type_of(hy_yaml_type type);

/* Reads a number with a unit; false: it is none. Independent of the locale. */
bool hy_yaml__type_parse(const hy_yaml__type *type, const char *text, double *out_number);

#endif
