/* "Did you mean": the word of a list that is nearest to a mistyped one. */
#ifndef TOOL_SUGGEST_H
#define TOOL_SUGGEST_H

#include <stdint.h>

/* The nearest of words by edit distance, or NULL when none is within about a third of its length. */
const char *tool_suggest(const char *word, uint32_t count, const char *const *words);

#endif
