/* The kernel templates of cl/, embedded as text. */
#ifndef HY_KERNELS_TEMPLATE_H
#define HY_KERNELS_TEMPLATE_H

typedef struct hy_kernels__template {
	const char *name; /* the file's, without .cl */
	const char *text;
} hy_kernels__template;

extern const hy_kernels__template hy_kernels__templates[]; /* ends with a row whose name is NULL */

#endif
