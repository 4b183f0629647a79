/* Whole files in and out. */
#include "file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX ((off_t)8 << 30)

hy_status tool_file_read(const char *path, void **out_bytes, size_t *out_length, hy_error *error)
{
	hy_status status = HY_OK;
	char *bytes = NULL;
	FILE *const file = fopen(path, "rbe");
	struct stat facts;
	if (file == NULL || fstat(fileno(file), &facts) != 0) {
		status = hy_error_set(error, HY_NOT_FOUND, "%s: %s", path, strerror(errno));
		goto done;
	}
	if (!S_ISREG(facts.st_mode)) {
		status = hy_error_set(error, HY_INVALID, "%s: not a regular file", path);
		goto done;
	}
	if (facts.st_size > FILE_MAX) {
		status = hy_error_set(error, HY_INVALID, "%s: larger than 8 GiB", path);
		goto done;
	}
	bytes = malloc((size_t)facts.st_size + 1);
	if (bytes == NULL) {
		status = hy_error_set(error, HY_NO_MEMORY, "%s: no memory for %lld bytes", path,
		                      (long long)facts.st_size);
		goto done;
	}
	const size_t length = fread(bytes, 1, (size_t)facts.st_size, file);
	if (ferror(file)) {
		status = hy_error_set(error, HY_INVALID, "%s: %s", path, strerror(errno));
		goto done;
	}
	bytes[length] = '\0';
	*out_bytes = bytes;
	*out_length = length;
	bytes = NULL;
done:
	free(bytes);
	if (file != NULL) fclose(file);
	return status;
}

hy_status tool_file_write(const char *path, const void *head, size_t head_length, const void *body, size_t body_length,
                          hy_error *error)
{
	char *temporary = NULL;
	if (asprintf(&temporary, "%s.part", path) < 0) return hy_error_set(error, HY_NO_MEMORY, "out of memory");
	FILE *const file = fopen(temporary, "wbe");
	bool written = file != NULL && fwrite(head, 1, head_length, file) == head_length &&
	               (body_length == 0 || fwrite(body, 1, body_length, file) == body_length);
	int reason = errno;
	if (file != NULL && fclose(file) != 0 && written) {
		written = false;
		reason = errno;
	}
	if (written && rename(temporary, path) != 0) {
		written = false;
		reason = errno;
	}
	if (!written && file != NULL) remove(temporary);
	free(temporary);
	return written ? HY_OK : hy_error_set(error, HY_INVALID, "%s: cannot write: %s", path, strerror(reason));
}

const char *tool_file_extension(const char *path)
{
	const char *const slash = strrchr(path, '/'), *const dot = strrchr(slash != NULL ? slash : path, '.');
	return dot != NULL ? dot : "";
}
