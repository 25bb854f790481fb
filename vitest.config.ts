import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    // Far beyond what any of them takes: on a busy machine with two cores, commands that take a second take fifteen.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two workers: the tests start real servers, and most machines that run them have two cores.
    maxWorkers: 2,
    coverage: { provider: "v8", include: ["src/**/*.ts"], reporter: ["text-summary", "json-summary"] },
  },
});
