#!/usr/bin/env node
// sendmail, and by other names mailq and newaliases: a small entry that loads nothing of the server.

import { existsSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { basename } from 'node:path'

// biome-ignore lint/style/noProcessEnv: handed on as a record
const environment = process.env

/** The published package has dist/, which also starts faster. */
async function load(name) {
  const built = new URL(`../dist/${name}.js`, import.meta.url)
  return await import(
    existsSync(built) ? built.href : new URL(`../src/${name}.ts`, import.meta.url).href
  )
}

/** The account may have no entry in /etc/passwd, as in containers. */
function loginName() {
  try {
    return userInfo().username
  } catch {
    return `uid${process.getuid()}`
  }
}

/** The alias files are the server's business: its command looks at them. */
async function checkAliases(config) {
  process.argv.splice(2, Number.POSITIVE_INFINITY, 'aliases', 'check')
  if (config !== undefined) process.argv.push('--config', config)
  await load('main')
  return process.exitCode
}

// A reader that went away is no failure.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

const [{ run }, { systemClock }] = await Promise.all([load('sendmail/main'), load('std/clock')])
const code = await run({
  name: basename(process.argv[1]).replace(/\.js$/, ''),
  words: process.argv.slice(2),
  environment,
  workingDirectory: process.cwd(),
  machineName: hostname(),
  user: loginName(),
  input: process.stdin,
  write: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
  clock: systemClock,
  checkAliases,
})

// Standard input may stay open for ever behind -bs. What was written is written: on Linux pipes and
// files are written at once.
process.exit(code)
