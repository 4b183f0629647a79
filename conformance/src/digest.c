/* SHA-256 by OpenSSL. */
#include "digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static EVP_MD_CTX *begin(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		abort(); /* no memory for 200 bytes */
	return context;
}

static void end(EVP_MD_CTX *context, char out[CONFORM_DIGEST])
{
	unsigned char bytes[EVP_MAX_MD_SIZE] = {0};
	EVP_DigestFinal_ex(context, bytes, NULL);
	EVP_MD_CTX_free(context);
	for (int i = 0; i < CONFORM_DIGEST / 2; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

void conform__digest_pair(const void *a, size_t a_length, const void *b, size_t b_length, char out[CONFORM_DIGEST])
{
	EVP_MD_CTX *context = begin();
	EVP_DigestUpdate(context, a, a_length);
	EVP_DigestUpdate(context, b, b_length);
	end(context, out);
}

hy_status conform__digest_file(const char *path, uint64_t *out_bytes, char out[CONFORM_DIGEST], hy_error *error)
{
	FILE *file = fopen(path, "re");
	if (file == NULL) return hy_error_set(error, HY_NOT_FOUND, "%s can't be read: %s", path, strerror(errno));
	char block[16384];
	uint64_t bytes = 0;
	EVP_MD_CTX *context = begin();
	for (size_t count; (count = fread(block, 1, sizeof(block), file)) > 0; bytes += count)
		EVP_DigestUpdate(context, block, count);
	const bool failed = ferror(file) != 0;
	fclose(file);
	end(context, out);
	if (failed) return hy_error_set(error, HY_NOT_FOUND, "%s can't be read: %s", path, strerror(errno));
	*out_bytes = bytes;
	return HY_OK;
}
