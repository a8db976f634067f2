// Biome formats and lints. This adds the one thing that it cannot see yet: a promise that
// is forgotten where a value may or may not be one, as with a bucket of unknown mode.
import tseslint from "typescript-eslint";

export default tseslint.config({
  files: ["packages/*/src/**/*.ts", "packages/*/test/**/*.ts", "test/**/*.ts", "bench/src/**/*.ts"],
  ignores: ["test/.examples/**"],
  languageOptions: {
    parser: tseslint.parser,
    parserOptions: { project: ["./packages/*/tsconfig.json", "./test/tsconfig.json", "./bench/tsconfig.json"] },
  },
  linterOptions: { reportUnusedDisableDirectives: "error" },
  plugins: { "@typescript-eslint": tseslint.plugin },
  rules: {
    "@typescript-eslint/no-floating-promises": "error",
    "@typescript-eslint/no-misused-promises": "error",
  },
});
