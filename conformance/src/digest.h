/* SHA-256, as 64 hexadecimal digits. */
#ifndef HY_CONFORM_PRIVATE_DIGEST_H
#define HY_CONFORM_PRIVATE_DIGEST_H

#include <halyard/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONFORM_DIGEST = 65 }; /* with the zero at the end */

/* Of b put behind a. */
void conform__digest_pair(const void *a, size_t a_length, const void *b, size_t b_length, char out[CONFORM_DIGEST]);
/* Fails NOT_FOUND when the file can't be read. */
hy_status conform__digest_file(const char *path, uint64_t *out_bytes, char out[CONFORM_DIGEST], hy_error *error);

#endif
