/* Text from outside (plugins, manifests) made one clean line. */
#ifndef HY_HAL_TEXT_H
#define HY_HAL_TEXT_H

#include <halyard/status.h>

#include <stddef.h>

/* Copies at most size - 1 bytes and ends them with NUL; control characters become spaces, trailing spaces go. */
void hy_hal__text_copy(char *target, size_t size, const char *text, size_t length);

/* printf into malloc'd memory; NULL when memory is exhausted. */
char *hy_hal__text_format(const char *format, ...) HY_PRINTF(1, 2);

#endif
