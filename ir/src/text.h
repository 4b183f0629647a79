/* What the printer and the parser of the text form share. The grammar is in ir/README.md. */
#ifndef HY_IR_PRIVATE_TEXT_H
#define HY_IR_PRIVATE_TEXT_H

#include "graph.h"

/* ---- numbers: text_number.c; the thread's locale must be "C" ---- */

#define HY_IR__NUMBER_ROOM 48

/* The shortest text that reads back as the same bits; a NaN other than the usual one shows its bits: nan(0x...). */
void hy_ir__text_print_element(hy_dtype dtype, const void *data, uint64_t index, char out_text[HY_IR__NUMBER_ROOM]);
/* False when the text is no number of that type or out of its range. */
bool hy_ir__text_parse_element(hy_dtype dtype, const char *text, void *data, uint64_t index);

/* ---- words: text_lex.c ---- */

/* What may stand without quotes: after %, and as a word. */
bool hy_ir__text_is_bare_name(const char *name);
bool hy_ir__text_is_bare_word(const char *word);

typedef enum hy_ir__token_kind {
	HY_IR__TOKEN_END,
	HY_IR__TOKEN_MARK, /* one of { } ( ) [ ] , = : @ ?, or "::" or "..." */
	HY_IR__TOKEN_NAME, /* %name */
	HY_IR__TOKEN_WORD,
	HY_IR__TOKEN_STRING,
	HY_IR__TOKEN_NUMBER, /* also -inf and nan(0x...); inf and nan are words */
} hy_ir__token_kind;

typedef struct hy_ir__lexer {
	const char *name, *text, *end, *at; /* at: behind the token */
	uint32_t line, column; /* of the token, from 1 */
	const char *line_start;
	hy_ir__token_kind kind;
	const char *token; /* without quotes, escapes resolved; in the arena, but a number lasts until the next token */
	uint32_t token_length;
	char number[64];
	hy_ir__arena *arena;
	hy_error *error;
} hy_ir__lexer;

/* Reads the next token. */
hy_status hy_ir__lexer_next(hy_ir__lexer *lexer);
/* INVALID at the token: "file:line:column: ...". */
hy_status hy_ir__lexer_fail(const hy_ir__lexer *lexer, const char *format, ...) HY_PRINTF(2, 3);

#endif
