// `node packaging/stage.ts FOLDER [--modules]`: what is published, out of this checkout. With
// --modules its libraries lie beside it, ready to run: the container image and the Debian package.
// Without, the folder is what `npm pack FOLDER` packs.

import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { compile, root } from './compile.ts'

type Manifest = Readonly<Record<string, unknown>> & {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
type Lock = {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly link?: boolean }>>
}

const [target, flag] = process.argv.slice(2)
if (target === undefined) throw new Error('usage: node packaging/stage.ts FOLDER [--modules]')
const folder = resolve(target)

const manifest = read<Manifest>('package.json')
mkdirSync(folder, { recursive: true })
compile(join(folder, 'dist'))
for (const name of ['bin', 'contrib', 'LICENSE', 'README.md', 'CHANGELOG.md'])
  cpSync(join(root, name), join(folder, name), { recursive: true })
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published(manifest), null, 2)}\n`)
if (flag === '--modules') for (const path of libraries()) copyLibrary(path)

function read<T>(name: string): T {
  return JSON.parse(readFileSync(join(root, name), 'utf8')) as T
}

/** Without what only a checkout needs; the Node that npm brings is one of those things. */
function published(all: Manifest): Manifest {
  const { private: _, scripts, devDependencies, optionalDependencies, ...rest } = all
  return { ...rest, files: ['bin', 'contrib', 'dist', 'CHANGELOG.md'] }
}

/** Paths of the installed packages that run, as the lock file knows them. */
function libraries(): string[] {
  const own = Object.keys(manifest.optionalDependencies ?? {}).map((name) => `node_modules/${name}`)
  return Object.entries(read<Lock>('package-lock.json').packages)
    .filter(([path, { dev, link }]) => path !== '' && !dev && !link && !own.includes(path))
    .map(([path]) => path)
    .filter((path) => existsSync(join(root, path)))
}

/** Types and maps are for those who write programs. */
function copyLibrary(path: string): void {
  cpSync(join(root, path), join(folder, path), {
    recursive: true,
    dereference: true,
    filter: (source) =>
      !/\.(d\.[cm]?ts|map|markdown|flow)$/.test(source) &&
      !source.slice(join(root, path).length).startsWith('/node_modules'),
  })
}
