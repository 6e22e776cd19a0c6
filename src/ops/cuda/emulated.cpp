// Runs kernels.cu on the CPU, for tests on machines without a GPU: c++ -std=c++20 -shared -DREAL=float
// -DKERNELS='ON(sigmoid); ...', all that the file has.
// Blocks run one after another; the threads of a block are threads, or one.

#include <barrier>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __shared__ static

struct Dim {
  unsigned x, y;
};
static Dim gridDim, blockDim;
static thread_local Dim blockIdx, threadIdx;
static std::barrier<> *block;

static void __syncthreads() {
  if (blockDim.x > 1) block->arrive_and_wait();
}

using std::exp, std::expm1, std::log, std::log1p, std::sqrt;

#include "kernels.cu"

template <class... A, size_t... I>
static void call(void (*kernel)(A...), const uint64_t *words, std::index_sequence<I...>) {
  static_assert((... && (sizeof(A) == 8)));
  kernel(std::bit_cast<A>(words[I])...);
}

template <class... A>
static int launch(void (*kernel)(A...), const uint64_t *words, size_t count) {
  if (count != sizeof...(A)) return 2;
  auto thread = [&](unsigned t) {
    threadIdx = {t, 0};
    for (unsigned y = 0; y < gridDim.y; y++) {
      for (unsigned x = 0; x < gridDim.x; x++) {
        blockIdx = {x, y};
        call(kernel, words, std::index_sequence_for<A...>());
        __syncthreads();
      }
    }
  };
  std::barrier<> barrier(blockDim.x);
  block = &barrier;
  std::vector<std::thread> threads;
  for (unsigned t = 1; t < blockDim.x; t++) threads.emplace_back(thread, t);
  thread(0);
  for (auto &t : threads) t.join();
  return 0;
}

#define ON(name)                                                                                         \
  if (!strcmp(kernel, #name)) return launch(name, words, count)

// 0, or 1 for an unknown kernel, or 2 for a wrong number of arguments.
extern "C" int run(const char *kernel, unsigned grid_x, unsigned grid_y, unsigned threads,
                   const uint64_t *words, size_t count) {
  gridDim = {grid_x, grid_y};
  blockDim = {threads, 1};
  KERNELS
  return 1;
}
