/* Times over sizes as one formula. For a given exponent the rest is linear, so exponents are tried one by one. */
#include "power_fit.h"

#include <math.h>

#define LEAST_EXPONENT 0.2
#define MOST_EXPONENT 2.0
#define EXPONENT_STEP 0.01

static tool_power_fit with_exponent(uint32_t count, const double *sizes, const double *times_ns, double exponent)
{
	double weights = 0, x1 = 0, y1 = 0, xx = 0, xy = 0;
	for (uint32_t i = 0; i < count; i++) {
		const double x = pow(sizes[i], exponent), w = 1 / (times_ns[i] * times_ns[i]);
		weights += w;
		x1 += w * x;
		y1 += w * times_ns[i];
		xx += w * x * x;
		xy += w * x * times_ns[i];
	}
	const double spread = weights * xx - x1 * x1;
	tool_power_fit fit = {.a = spread > 0 ? (weights * xy - x1 * y1) / spread : 0, .b = exponent};
	if (fit.a < 0) fit.a = 0;
	fit.c = (y1 - fit.a * x1) / weights;
	if (fit.c < 0) {
		fit.c = 0;
		fit.a = xy / xx;
	}
	for (uint32_t i = 0; i < count; i++) {
		const double off = (fit.a * pow(sizes[i], exponent) + fit.c) / times_ns[i] - 1;
		fit.error += off * off / count;
	}
	fit.error = sqrt(fit.error);
	return fit;
}

tool_power_fit tool_power_fit_of(uint32_t count, const double *sizes, const double *times_ns)
{
	tool_power_fit best = with_exponent(count, sizes, times_ns, 1);
	for (double exponent = LEAST_EXPONENT; exponent <= MOST_EXPONENT; exponent += EXPONENT_STEP) {
		const tool_power_fit fit = with_exponent(count, sizes, times_ns, exponent);
		if (fit.error < best.error * 0.999) best = fit;
	}
	return best;
}
