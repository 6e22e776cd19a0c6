// The kernels that CUDA runs, compiled at run time once for each element type, REAL = float or double.
//
// Parameters are pointers, `Int` and `double` alone, 8 bytes each: inputs, output, numbers. A pointer to
// an argument that is not there is null. Blocks have a power of two of threads, up to 1024. Sums have a fixed
// order, so that a rerun gives the same bits. No tensor has 2^31 values: positions are `unsigned`, whose
// division is quick.

typedef long long Int;

#define KERNEL extern "C" __global__ void
#define EACH(i, n)                                                                                       \
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += gridDim.x * blockDim.x)

// The sum of `value` over the threads of a block, for every thread.
__device__ double block_sum(double value) {
  __shared__ double sums[1024];
  sums[threadIdx.x] = value;
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    __syncthreads();
  }
  double total = sums[0];
  __syncthreads();
  return total;
}

// Batch norm reads a tensor as [batch, channels, pixels]. A block has the channel blockIdx.x, and of that
// channel's `count` values every gridDim.y-th run of blockDim.x.
#define EACH_OF_CHANNEL(at, channels, pixels, count)                                                     \
  for (unsigned j = blockIdx.y * blockDim.x + threadIdx.x, at; j < (count) &&                            \
       (at = (j / (unsigned)(pixels) * (unsigned)(channels) + blockIdx.x) * (unsigned)(pixels) +         \
             j % (unsigned)(pixels), true); j += gridDim.y * blockDim.x)

// The two sums of a block, in sums[part][2][channels].
__device__ void store_sums(double *sums, Int channels, double first, double second) {
  first = block_sum(first);
  second = block_sum(second);
  if (threadIdx.x == 0) {
    double *part = sums + blockIdx.y * 2 * channels + blockIdx.x;
    part[0] = first;
    part[channels] = second;
  }
}

// sums[part][2][channels]: of the deviations from the channel's first value, and of their squares. Around
// a value of the data neither loses digits to a large mean.
KERNEL moment_sums(const REAL *xs, double *sums, Int channels, Int pixels, Int count) {
  double pivot = xs[blockIdx.x * pixels], sum = 0, square = 0;
  EACH_OF_CHANNEL(at, channels, pixels, count) {
    double d = xs[at] - pivot;
    sum += d;
    square += d * d;
  }
  store_sums(sums, channels, sum, square);
}

// moments[2][channels]: mean and biased variance.
KERNEL moments(const REAL *xs, const double *sums, double *moments, Int channels, Int pixels, Int count,
               Int parts) {
  EACH(c, channels) {
    double sum = 0, square = 0;
    for (Int p = 0; p < parts; p++) {
      sum += sums[p * 2 * channels + c];
      square += sums[(p * 2 + 1) * channels + c];
    }
    double shift = sum / count, variance = square / count - shift * shift;
    moments[c] = xs[c * pixels] + shift;
    moments[channels + c] = variance < 0 ? 0 : variance;
  }
}

// What batch norm and the LeakyReLU after it do to one channel. The mean is subtracted in two parts, the
// rounded mean and what rounding took.
struct Channel {
  REAL mean, factor, shift, slope;
  double inverse, rest;

  __device__ Channel(const REAL *scales, const REAL *shifts, const double *moments, Int channels, double eps,
                     double negative_slope) {
    Int c = blockIdx.x;
    mean = (REAL)moments[c];
    rest = moments[c] - mean;
    inverse = 1 / sqrt(moments[channels + c] + eps);
    double wide = inverse * (scales ? (double)scales[c] : 1.);
    factor = (REAL)wide;
    shift = (REAL)((shifts ? (double)shifts[c] : 0.) - rest * wide);
    slope = (REAL)negative_slope;
  }

  // Before the LeakyReLU.
  __device__ REAL normal(REAL x) const { return (x - mean) * factor + shift; }
  __device__ REAL through(REAL x, REAL grad) const { return normal(x) > 0 ? grad : grad * slope; }
};

KERNEL normalize(const REAL *xs, const REAL *scales, const REAL *shifts, const double *moments, REAL *ys,
                 Int channels, Int pixels, Int count, double eps, double slope) {
  Channel channel(scales, shifts, moments, channels, eps, slope);
  EACH_OF_CHANNEL(at, channels, pixels, count) {
    REAL v = channel.normal(xs[at]);
    ys[at] = v > 0 ? v : v * channel.slope;
  }
}

// sums[part][2][channels]: of the gradient before the LeakyReLU, and of its product with the deviation
// from the rounded mean.
KERNEL gradient_sums(const REAL *xs, const REAL *scales, const REAL *shifts, const double *moments,
                     const REAL *grad, double *sums, Int channels, Int pixels, Int count, double eps,
                     double slope) {
  Channel channel(scales, shifts, moments, channels, eps, slope);
  double sum = 0, product = 0;
  EACH_OF_CHANNEL(at, channels, pixels, count) {
    REAL g = channel.through(xs[at], grad[at]);
    sum += g;
    product += (double)(xs[at] - channel.mean) * g;
  }
  store_sums(sums, channels, sum, product);
}

// total[i] = the sum of parts[p][i].
KERNEL add_parts(const double *parts, double *total, Int n, Int count) {
  EACH(i, n) {
    double sum = 0;
    for (Int p = 0; p < count; p++) sum += parts[p * n + i];
    total[i] = sum;
  }
}

// With `from_batch` the moments are functions of xs.
KERNEL input_gradient(const REAL *xs, const REAL *scales, const REAL *shifts, const double *moments,
                      const REAL *grad, const double *sums, REAL *d_xs, Int channels, Int pixels, Int count,
                      Int from_batch, double eps, double slope) {
  Channel channel(scales, shifts, moments, channels, eps, slope);
  double linear = 0, constant = 0;
  if (from_batch) {
    double sum = sums[blockIdx.x], product = sums[channels + blockIdx.x] - channel.rest * sum;
    linear = product / count * channel.inverse * channel.inverse;
    constant = sum / count - channel.rest * linear;
  }
  REAL a = (REAL)constant, b = (REAL)linear;
  EACH_OF_CHANNEL(at, channels, pixels, count) {
    d_xs[at] = channel.factor * (channel.through(xs[at], grad[at]) - a - (xs[at] - channel.mean) * b);
  }
}

// d_affine[2][channels]: of scale and shift.
KERNEL affine_gradient(const double *moments, const double *sums, REAL *d_affine, Int channels, double eps) {
  EACH(c, channels) {
    double rest = moments[c] - (REAL)moments[c];
    double inverse = 1 / sqrt(moments[channels + c] + eps);
    d_affine[c] = (REAL)((sums[channels + c] - rest * sums[c]) * inverse);
    d_affine[channels + c] = (REAL)sums[c];
  }
}

// running += momentum (new - running), by the rounding of candle's operations.
KERNEL move_towards(REAL *running, const REAL *batch, Int n, double keep, double momentum) {
  EACH(i, n) running[i] = running[i] * (REAL)keep + batch[i] * (REAL)momentum;
}

// The position of the maximum of a window: the first, and NaN counts as one.
__device__ unsigned argmax(const REAL *plane, unsigned oy, unsigned ox, unsigned w, unsigned size) {
  unsigned best = oy * size * w + ox * size;
  for (unsigned dy = 0; dy < size; dy++) {
    for (unsigned dx = 0; dx < size; dx++) {
      unsigned at = (oy * size + dy) * w + ox * size + dx;
      if (plane[at] > plane[best] || plane[at] != plane[at]) best = at;
    }
  }
  return best;
}

KERNEL max_pool(const REAL *xs, REAL *ys, Int n, Int height, Int width, Int window) {
  unsigned h = height, w = width, size = window, oh = h / size, ow = w / size;
  EACH(i, n) {
    const REAL *plane = xs + i / (oh * ow) * h * w;
    ys[i] = plane[argmax(plane, i / ow % oh, i % ow, w, size)];
  }
}

KERNEL max_pool_gradient(const REAL *xs, const REAL *grad, REAL *d_xs, Int n, Int height, Int width,
                         Int window) {
  unsigned h = height, w = width, size = window, oh = h / size, ow = w / size;
  EACH(i, n) {
    unsigned x = i % w, y = i / w % h, plane = i / (h * w);
    unsigned ox = x / size, oy = y / size;
    bool chosen = oy < oh && ox < ow && argmax(xs + plane * h * w, oy, ox, w, size) == y * w + x;
    d_xs[i] = chosen ? grad[(plane * oh + oy) * ow + ox] : (REAL)0;
  }
}

KERNEL upsample(const REAL *xs, REAL *ys, Int n, Int width, Int times) {
  unsigned w = width, factor = times;
  EACH(i, n) {
    unsigned x = i % (w * factor) / factor, row = i / (w * factor) / factor;
    ys[i] = xs[row * w + x];
  }
}

KERNEL upsample_gradient(const REAL *grad, REAL *d_xs, Int n, Int width, Int times) {
  unsigned w = width, factor = times;
  EACH(i, n) {
    const REAL *corner = grad + (i / w * factor * w + i % w) * factor;
    REAL sum = 0;
    for (unsigned dy = 0; dy < factor; dy++) {
      for (unsigned dx = 0; dx < factor; dx++) sum += corner[dy * w * factor + dx];
    }
    d_xs[i] = sum;
  }
}

KERNEL leaky_relu(const REAL *xs, REAL *ys, Int n, double slope) {
  EACH(i, n) ys[i] = xs[i] > 0 ? xs[i] : xs[i] * (REAL)slope;
}

KERNEL leaky_relu_gradient(const REAL *xs, const REAL *grad, REAL *d_xs, Int n, double slope) {
  EACH(i, n) d_xs[i] = xs[i] > 0 ? grad[i] : grad[i] * (REAL)slope;
}

KERNEL sigmoid(const REAL *xs, REAL *ys, Int n) {
  EACH(i, n) ys[i] = 1 / (1 + exp(-xs[i]));
}

KERNEL sigmoid_gradient(const REAL *ys, const REAL *grad, REAL *d_xs, Int n) {
  EACH(i, n) d_xs[i] = grad[i] * ys[i] * (1 - ys[i]);
}

// NaN stays NaN.
__device__ double floored(double x, double floor) { return x < floor ? floor : x; }

KERNEL log1mexp(const REAL *xs, REAL *ys, Int n, double floor) {
  EACH(i, n) {
    double x = floored(xs[i], floor);
    ys[i] = (REAL)(x < 0.69314718055994530942 ? log(-expm1(-x)) : log1p(-exp(-x)));
  }
}

KERNEL log1mexp_gradient(const REAL *xs, const REAL *grad, REAL *d_xs, Int n, double floor) {
  EACH(i, n) d_xs[i] = (REAL)(grad[i] / expm1(floored(xs[i], floor)));
}

// A block a row.
KERNEL l2_norm(const REAL *xs, REAL *norms, Int length) {
  const REAL *row = xs + blockIdx.x * length;
  double sum = 0;
  for (Int i = threadIdx.x; i < length; i += blockDim.x) sum += (double)row[i] * row[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) norms[blockIdx.x] = (REAL)sqrt(sum);
}

KERNEL l2_norm_gradient(const REAL *xs, const REAL *norms, const REAL *grad, REAL *d_xs, Int n, Int length) {
  EACH(i, n) {
    unsigned row = i / (unsigned)length;
    d_xs[i] = norms[row] == 0 ? (REAL)0 : grad[row] * (xs[i] / norms[row]);
  }
}

// moments[2][n]: of gradient and squared gradient, moved in place.
KERNEL adam_moments(REAL *moments, const REAL *grad, const REAL *weights, Int n, double decay, double beta1,
                    double rest1, double beta2, double rest2) {
  EACH(i, n) {
    REAL g = grad[i] + weights[i] * (REAL)decay;
    moments[i] = moments[i] * (REAL)beta1 + g * (REAL)rest1;
    moments[n + i] = moments[n + i] * (REAL)beta2 + g * g * (REAL)rest2;
  }
}

KERNEL adam_weights(REAL *weights, const REAL *moments, Int n, double keep, double unbias2, double eps,
                    double rate) {
  EACH(i, n) {
    REAL root = sqrt(moments[n + i]);
    weights[i] = weights[i] * (REAL)keep - moments[i] / (root * (REAL)unbias2 + (REAL)eps) * (REAL)rate;
  }
}
