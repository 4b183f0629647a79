/* Sums of products in double, a panel of columns at a time: the loop that convolutions and matrix products are made
 * of. Its length is constant, so that compilers turn it into vector instructions at any optimisation level. */
#include "eval.h"

#include <string.h>

void hy_ir__panel_add(int64_t depth, const double *row, const double *panel, double *sums)
{
	double sum[HY_IR__PANEL];
	memcpy(sum, sums, sizeof(sum));
	for (int64_t d = 0; d < depth; d++) {
		const double factor = row[d];
		const double *line = panel + d * HY_IR__PANEL;
		for (int j = 0; j < HY_IR__PANEL; j++)
			sum[j] += factor * line[j];
	}
	memcpy(sums, sum, sizeof(sum));
}
