/* YAML from outside, held against a table of keys.
 *
 * A document is read whole (hy_yaml_read), held against a table that says what may stand where (hy_yaml_check), and
 * then asked value by value. Every fault is kept with its line and column; reading goes on behind it. The same table
 * makes the JSON Schema (hy_yaml_schema_print). Refused: aliases, tags, tabs, a second document, keys that are there
 * twice, more than HY_YAML_BYTES, HY_YAML_DEPTH or HY_YAML_NODES. Threads: one at a time per document. */
#ifndef HALYARD_YAML_H
#define HALYARD_YAML_H

#include <halyard/status.h>

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HY_YAML_BYTES (1u << 20)
#define HY_YAML_DEPTH 16u
#define HY_YAML_NODES 200000u
#define HY_YAML_KEYS 512u /* of one mapping */
#define HY_YAML_FAULTS 100u /* told at most */

typedef enum hy_yaml_kind { HY_YAML_IS_SCALAR, HY_YAML_IS_MAP, HY_YAML_IS_LIST } hy_yaml_kind;

typedef struct hy_yaml_node hy_yaml_node;
struct hy_yaml_node {
	hy_yaml_kind kind;
	uint32_t line, column; /* from 1 */
	uint32_t key_line, key_column;
	const char *key; /* in a map, else NULL */
	const char *text; /* of a scalar, one line, not empty; else NULL */
	uint32_t count;
	hy_yaml_node *first, *next; /* children in order; the next of the same parent */
	bool bad; /* a fault of it was told: treat it as absent */
	double number; /* once checked, in bytes, bytes/s, ns ...; of a WORD: its place in words */
};

typedef struct hy_yaml_fault {
	uint32_t line, column;
	char *text;
} hy_yaml_fault;

typedef struct hy_yaml {
	const char *name; /* of the file, lent */
	hy_yaml_node *root; /* NULL: there is nothing to look at */
	uint32_t fault_count;
	hy_yaml_fault faults[HY_YAML_FAULTS + 1];
	bool no_memory;
	bool broken; /* its end could not be read */
	uint32_t node_count;
	void *storage;
} hy_yaml;

/* Reads text into document, which then has to be finished whatever the status. INVALID: it has faults. */
hy_status hy_yaml_read(const char *name, const char *text, size_t length, hy_yaml *document);
/* The same from a file. NOT_FOUND and INVALID (cannot be read, too large) are faults of line 1 as well. */
hy_status hy_yaml_load(const char *path, hy_yaml *document);
void hy_yaml_finish(hy_yaml *document);

/* Tells a fault of a place, of a node's value (which becomes bad) or of a node's key. */
void hy_yaml_fault_at(hy_yaml *document, uint32_t line, uint32_t column, const char *format, ...) HY_PRINTF(4, 5);
void hy_yaml_fault_node(hy_yaml *document, hy_yaml_node *node, const char *format, ...) HY_PRINTF(3, 4);
void hy_yaml_fault_key(hy_yaml *document, hy_yaml_node *node, const char *format, ...) HY_PRINTF(3, 4);
/* OK, or INVALID with the faults in order of their place, joined in error's line as far as they fit. */
hy_status hy_yaml_result(hy_yaml *document, hy_error *error);

/* ---- the table ---- */

typedef enum hy_yaml_type {
	HY_YAML_TEXT, /* one line */
	HY_YAML_WORD, /* one of words */
	HY_YAML_COUNT, /* a whole number from least to most */
	HY_YAML_NUMBER, /* a number from least to most: 0.5, 1e3 */
	HY_YAML_AMOUNT, /* bytes: 4096, 80Gi, 25G, 1.5TiB */
	HY_YAML_RATE, /* bytes per second: 370GB/s, 22GiB/s, 100Gbit/s */
	HY_YAML_OPS, /* operations per second: 60T, 989TFLOP/s, 1e12 */
	HY_YAML_TIME, /* ns: 2us, 1.5ms, 10s */
	HY_YAML_MAP, /* of fields */
	HY_YAML_TABLE, /* of free keys (pattern), each value an item */
	HY_YAML_LIST, /* of items */
} hy_yaml_type;

typedef struct hy_yaml_field hy_yaml_field;
struct hy_yaml_field {
	const char *key;
	hy_yaml_type type;
	bool required;
	const char *help; /* one line, the schema's description */
	const char *pattern; /* TEXT, TABLE: extended regular expression of the whole text or key; NULL: any */
	const char *form; /* what the pattern means, for the fault: "names: letters, digits, '-'" */
	const char *words; /* WORD: "a|b" */
	double least, most; /* COUNT, NUMBER, AMOUNT, RATE, OPS, TIME; both 0: from 0 on. LIST, TABLE: items */
	uint32_t field_count; /* MAP */
	const hy_yaml_field *fields;
	const hy_yaml_field *item; /* LIST, TABLE */
};

/* Holds the document against a field of type MAP; tells every fault there is and converts every value. */
void hy_yaml_check(hy_yaml *document, const hy_yaml_field *table);

/* The table as a JSON Schema (draft 2020-12). The text is the caller's, free(); NULL without memory. */
char *hy_yaml_schema_print(const hy_yaml_field *table, const char *title);

/* ---- values, once checked ---- */

/* The value of a key, or NULL when it is absent or bad. map may be NULL. */
hy_yaml_node *hy_yaml_get(const hy_yaml_node *map, const char *key);
/* Whether the key is there with a fault. */
bool hy_yaml_is_bad(const hy_yaml_node *map, const char *key);
const char *hy_yaml_text(const hy_yaml_node *map, const char *key, const char *fallback);
double hy_yaml_number(const hy_yaml_node *map, const char *key, double fallback);

/* The word that `word` is most likely a slip of, or NULL. Words of 31 letters at most. */
const char *hy_yaml_nearest(const char *word, uint32_t count, const char *const *words);

#ifdef __cplusplus
}
#endif
#endif
