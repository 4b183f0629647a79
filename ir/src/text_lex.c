/* Words and numbers of the text form. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_letter(c) || is_digit(c) || c == '.';
}

static bool is_name(char c)
{
	return is_word(c) || c == '/' || c == '-';
}

static bool is_number(char c)
{
	return is_digit(c) || is_letter(c) || c == '.' || c == '+' || c == '-';
}

bool hy_ir__text_is_bare_name(const char *name)
{
	if (name[0] == '\0') return false;
	for (; *name != '\0'; name++)
		if (!is_name(*name)) return false;
	return true;
}

bool hy_ir__text_is_bare_word(const char *word)
{
	if (!is_letter(word[0]) || strcmp(word, "_") == 0) return false;
	for (; *word != '\0'; word++)
		if (!is_word(*word)) return false;
	return true;
}

hy_status hy_ir__lexer_fail(const hy_ir__lexer *lexer, const char *format, ...)
{
	char text[HY_ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return hy_error_set(lexer->error, HY_INVALID, "%s:%u:%u: %s", lexer->name, lexer->line, lexer->column, text);
}

static void skip_blanks(hy_ir__lexer *lexer)
{
	for (; lexer->at < lexer->end; lexer->at++) {
		const char c = *lexer->at;
		if (c == '#')
			while (lexer->at + 1 < lexer->end && lexer->at[1] != '\n')
				lexer->at++;
		else if (c == '\n') {
			lexer->line++;
			lexer->line_start = lexer->at + 1;
		} else if (c != ' ' && c != '\t' && c != '\r')
			break;
	}
}

/* The bytes from the cursor on for which `belongs` holds. */
static hy_status take_run(hy_ir__lexer *lexer, bool (*belongs)(char))
{
	const char *start = lexer->at;
	while (lexer->at < lexer->end && belongs(*lexer->at))
		lexer->at++;
	lexer->token_length = (uint32_t)(lexer->at - start);
	lexer->token = hy_ir__arena_text(lexer->arena, start, lexer->token_length);
	return lexer->token != NULL ? HY_OK : hy_ir__no_memory(lexer->error);
}

static hy_status take_number(hy_ir__lexer *lexer, size_t length)
{
	if (length >= sizeof(lexer->number)) return hy_ir__lexer_fail(lexer, "the number is too long");
	memcpy(lexer->number, lexer->at, length);
	lexer->number[length] = '\0';
	lexer->kind = HY_IR__TOKEN_NUMBER;
	lexer->token = lexer->number;
	lexer->token_length = (uint32_t)length;
	lexer->at += length;
	return HY_OK;
}

static hy_status take_nan(hy_ir__lexer *lexer)
{
	const char *close = memchr(lexer->at, ')', (size_t)(lexer->end - lexer->at));
	if (close == NULL || close - lexer->at > 32) return hy_ir__lexer_fail(lexer, "nan( needs its bits and a )");
	return take_number(lexer, (size_t)(close + 1 - lexer->at));
}

static int hex_digit(char c)
{
	if (is_digit(c)) return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	return -1;
}

/* One escape, the cursor behind its backslash; -1 when there is no such escape. */
static int take_escape(hy_ir__lexer *lexer)
{
	if (lexer->at == lexer->end) return -1;
	const char c = *lexer->at++;
	if (c == '"' || c == '\\') return c;
	if (c == 'n') return '\n';
	if (c == 't') return '\t';
	if (c != 'x' || lexer->end - lexer->at < 2) return -1;
	const int high = hex_digit(lexer->at[0]), low = hex_digit(lexer->at[1]);
	if (high < 0 || low < 0 || high + low == 0) return -1;
	lexer->at += 2;
	return high * 16 + low;
}

static hy_status take_string(hy_ir__lexer *lexer)
{
	const char *close = ++lexer->at;
	while (close < lexer->end && *close != '"' && *close != '\n')
		close += *close == '\\' && close + 1 < lexer->end ? 2 : 1;
	if (close >= lexer->end || *close != '"')
		return hy_ir__lexer_fail(lexer, "the string does not end on its line");
	char *token = hy_ir__arena_alloc(lexer->arena, (size_t)(close - lexer->at) + 1);
	if (token == NULL) return hy_ir__no_memory(lexer->error);
	uint32_t length = 0;
	while (lexer->at < close) {
		const unsigned char c = (unsigned char)*lexer->at++;
		const int byte = c == '\\' ? take_escape(lexer) : c;
		if (byte < 0 || (c < 0x20 && c != '\t') || c == 0x7f)
			return hy_ir__lexer_fail(lexer, "the string has a bad escape or control character");
		token[length++] = (char)byte;
	}
	token[length] = '\0';
	lexer->at = close + 1;
	lexer->token = token;
	lexer->token_length = length;
	return HY_OK;
}

static hy_status take_mark(hy_ir__lexer *lexer)
{
	static const char *const marks[] = {"...", "::", "{", "}", "(", ")", "[", "]", ",", "=", ":", "@", "?"};
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const size_t length = strlen(marks[i]);
		if ((size_t)(lexer->end - lexer->at) < length || memcmp(lexer->at, marks[i], length) != 0) continue;
		lexer->at += length;
		lexer->kind = HY_IR__TOKEN_MARK;
		lexer->token = marks[i];
		lexer->token_length = (uint32_t)length;
		return HY_OK;
	}
	return hy_ir__lexer_fail(lexer, "byte 0x%02x begins nothing", (unsigned char)*lexer->at);
}

hy_status hy_ir__lexer_next(hy_ir__lexer *lexer)
{
	skip_blanks(lexer);
	lexer->token = "";
	lexer->token_length = 0;
	lexer->column = (uint32_t)(lexer->at - lexer->line_start) + 1;
	if (lexer->at == lexer->end) {
		lexer->kind = HY_IR__TOKEN_END;
		return HY_OK;
	}
	const char c = *lexer->at;
	const char next = lexer->at + 1 < lexer->end ? lexer->at[1] : '\0';
	if (c == '"') {
		lexer->kind = HY_IR__TOKEN_STRING;
		return take_string(lexer);
	}
	if (c == '%') {
		lexer->kind = HY_IR__TOKEN_NAME;
		lexer->at++;
		if (next == '"') return take_string(lexer);
		if (!is_name(next)) return hy_ir__lexer_fail(lexer, "%% needs a name behind it");
		return take_run(lexer, is_name);
	}
	if (lexer->end - lexer->at > 4 && memcmp(lexer->at, "nan(", 4) == 0) return take_nan(lexer);
	if (is_letter(c)) {
		lexer->kind = HY_IR__TOKEN_WORD;
		return take_run(lexer, is_word);
	}
	if (is_digit(c) || c == '-') {
		size_t length = 1;
		while (length < (size_t)(lexer->end - lexer->at) && is_number(lexer->at[length]))
			length++;
		return take_number(lexer, length);
	}
	return take_mark(lexer);
}
