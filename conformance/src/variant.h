/* A recipe that can be changed: what --minimise makes smaller, and hands to a worker in one line. */
#ifndef HY_CONFORM_PRIVATE_VARIANT_H
#define HY_CONFORM_PRIVATE_VARIANT_H

#include "recipe.h"

enum {
	VARIANT_INPUTS,
	VARIANT_ATTRS,
	VARIANT_STEPS, /* the operand of the first step, and so on */
	VARIANT_TEXTS = VARIANT_STEPS + RECIPE_STEPS,
	VARIANT_TEXT = 256,
	VARIANT_LINE = VARIANT_TEXTS * VARIANT_TEXT + 256,
};

typedef struct variant {
	char texts[VARIANT_TEXTS][VARIANT_TEXT];
	char anchor[32], steps[RECIPE_STEPS][32]; /* operators; "": none */
	data_kind data;
} variant;

/* False when a text is too long. */
bool conform__variant_take(const recipe *source, variant *out);
/* The variant as a recipe, which lends its texts; name and tolerance are those of like. */
recipe conform__variant_recipe(const variant *self, const recipe *like);

/* Fields separated by tabs. line: VARIANT_LINE bytes. */
void conform__variant_print(const variant *self, char *line);
/* Cuts line up. False: it is none. */
bool conform__variant_read(char *line, variant *out);

/* The check of a case whose recipe is a variant's: HARNESS_ERROR where the oracle, which was proved on the list's own
 * shapes, and the IR's evaluator differ. */
void conform__variant_check(conform_run *run, const conform_case *self);

/* Whether shapes and attributes belong to the operators, by the IR's inference: the oracle asks nothing and would read
 * beyond its inputs. outputs: how many the operator has. */
bool conform__variant_is_legal(const variant *self, uint32_t outputs);

#endif
