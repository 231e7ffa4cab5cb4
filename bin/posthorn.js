#!/usr/bin/env node
// Says what to do on an old Node, before anything that it could not read: the syntax of Node 12.

const [major, minor] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 15)) void start()
else refuse(process.versions.node)

function refuse(version) {
  // biome-ignore lint/style/noProcessEnv: before the configuration can be read
  const { POSTHORN_LANG, LC_ALL, LC_MESSAGES, LANG } = process.env
  const russian = /^ru/i.test(POSTHORN_LANG || LC_ALL || LC_MESSAGES || LANG || '')
  const lines = russian
    ? [
        `Posthorn нужен Node 24.15 или новее, а это Node ${version}.`,
        'Где взять Node 24: https://nodejs.org/en/download, nvm install 24, fnm install 24 или образ Docker node:24.',
        'В клоне репозитория ставить ничего не нужно: npm ci приносит Node 24 для npm start и npm run posthorn.',
      ]
    : [
        `Posthorn needs Node 24.15 or newer; this is Node ${version}.`,
        'Get Node 24 from https://nodejs.org/en/download, nvm install 24, fnm install 24 or the Docker image node:24.',
        'In a clone of the repository nothing is to be installed: npm ci brings Node 24 for npm start and npm run posthorn.',
      ]
  process.stderr.write(`${lines.join('\n')}\n`)
  process.exitCode = 1
}

/** The published package has dist/: Node refuses to strip types below node_modules. */
async function start() {
  const { existsSync } = await import('node:fs')
  const built = new URL('../dist/main.js', import.meta.url)
  if (existsSync(built)) return void (await import(built.href))
  await keepStripped()
  await import(new URL('../src/main.ts', import.meta.url).href)
}

/**
 * In a clone every thread would load the program that strips types, some 20 MB and 0.2 s each; what
 * it made is kept beside the packages, where nobody else can write.
 */
async function keepStripped() {
  const { enableCompileCache } = await import('node:module')
  const { fileURLToPath } = await import('node:url')
  const folder = fileURLToPath(new URL('../node_modules/.cache/posthorn', import.meta.url))
  // biome-ignore lint/style/noProcessEnv: worker threads have no other way to hear it
  process.env.NODE_COMPILE_CACHE ??= folder
  // biome-ignore lint/style/noProcessEnv: set above
  enableCompileCache(process.env.NODE_COMPILE_CACHE)
}
