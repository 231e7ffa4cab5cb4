// Certificates on disk, in the layouts that people have: certbot's, the pair of cert.pem and
// chain.pem, Kubernetes' tls.crt, a folder of them. Reading never throws; what the disk says becomes
// a fault that names the file, and who may not read it.

import { constants } from 'node:fs'
import { lstat, open, readdir, readlink, realpath, stat } from 'node:fs/promises'
import { dirname, extname, join, resolve } from 'node:path'
import type { ReadFile, ReadFiles } from './examine.ts'
import { type CertificateFault, fault } from './fault.ts'

/** Where a certificate lies, as the configuration says it. */
export type CertificatePlace = {
  /** A PEM file, or a folder with certificates. */
  readonly certificate: string
  readonly key?: string
  readonly chain?: string
}

export type ReadCertificate = {
  /** Its own file, also when it could not be read. */
  readonly path: string
  readonly files?: ReadFiles
  readonly faults: readonly CertificateFault[]
}

const LARGEST_OCTETS = 1_000_000
const MOST_IN_A_FOLDER = 500
/** The file with the certificate, and those that may lie beside it. */
const LAYOUTS: readonly { certificate: string; chain?: string; keys: readonly string[] }[] = [
  { certificate: 'fullchain.pem', keys: ['privkey.pem', 'key.pem'] },
  { certificate: 'cert.pem', chain: 'chain.pem', keys: ['privkey.pem', 'key.pem'] },
  { certificate: 'tls.crt', keys: ['tls.key'] },
]

/** Every certificate of a place: one for a file, any number for a folder. */
export async function readPlace(place: CertificatePlace): Promise<readonly ReadCertificate[]> {
  const { certificate } = place
  const found = await stat(certificate).catch(() => undefined)
  if (!found?.isDirectory()) return [await readCertificate(place)]
  const places = await placesIn(certificate, { deeper: true })
  if (!Array.isArray(places)) return [{ path: certificate, faults: [places] }]
  if (places.length === 0)
    return [{ path: certificate, faults: [fault('FOLDER_EMPTY', certificate, {})] }]
  return Promise.all(places.slice(0, MOST_IN_A_FOLDER).map(readCertificate))
}

/** Folders whose changes are worth a look: where the files lie, and where their links lead. */
export async function foldersOf(place: CertificatePlace): Promise<readonly string[]> {
  const folders = new Set<string>()
  const found = await stat(place.certificate).catch(() => undefined)
  const inside = found?.isDirectory() ? await placesIn(place.certificate, { deeper: true }) : []
  if (found?.isDirectory()) folders.add(place.certificate)
  for (const one of [place, ...(Array.isArray(inside) ? inside : [])])
    for (const path of [one.certificate, one.key, one.chain]) {
      if (path === undefined) continue
      folders.add(dirname(path))
      const real = await realpath(path).catch(() => undefined)
      if (real !== undefined) folders.add(dirname(real))
    }
  return [...folders]
}

async function readCertificate(place: CertificatePlace): Promise<ReadCertificate> {
  const faults: CertificateFault[] = []
  const [certificate, key, chain] = await Promise.all(
    [place.certificate, place.key, place.chain].map(async (path) => {
      const read = path === undefined ? undefined : await readOne(path)
      if (read && 'code' in read) faults.push(read)
      return read && !('code' in read) ? read : undefined
    }),
  )
  const path = place.certificate
  if (!certificate || faults.length > 0) return { path, faults }
  const exposed = await exposure(place.key ?? path)
  return {
    path,
    files: { certificate, ...(key && { key }), ...(chain && { chain }) },
    faults: exposed ? [exposed] : [],
  }
}

/** The certificates of a folder; where one of its own lies, its folders are not looked at. */
async function placesIn(
  folder: string,
  options: { readonly deeper: boolean },
): Promise<CertificatePlace[] | CertificateFault> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => error)
  if (!Array.isArray(names)) return whyUnreadable(folder, names)
  const here = new Set(names)
  for (const { certificate, chain, keys } of LAYOUTS) {
    const key = keys.find((name) => here.has(name))
    if (!here.has(certificate) || key === undefined) continue
    const withChain = chain !== undefined && here.has(chain)
    return [
      {
        certificate: join(folder, certificate),
        key: join(folder, key),
        ...(withChain && { chain: join(folder, chain) }),
      },
    ]
  }
  const places = names.sort().flatMap((name) => namedPlace(folder, name, here))
  if (!options.deeper) return places
  for (const name of names.filter((one) => !one.startsWith('.'))) {
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    const inside = found?.isDirectory() ? await placesIn(path, { deeper: false }) : []
    if (Array.isArray(inside)) places.push(...inside)
  }
  return places
}

/** NAME.crt with NAME.key, as Caddy, lego and people have it. */
function namedPlace(folder: string, name: string, here: ReadonlySet<string>): CertificatePlace[] {
  const ending = extname(name)
  if (!['.crt', '.pem', '.cer'].includes(ending)) return []
  const key = `${name.slice(0, -ending.length)}.key`
  return here.has(key) ? [{ certificate: join(folder, name), key: join(folder, key) }] : []
}

async function readOne(path: string): Promise<ReadFile | CertificateFault> {
  try {
    // Not blocking: somebody may have put a pipe there.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const found = await file.stat()
      if (!found.isFile()) return fault('FILE_FAILED', path, { why: 'it is no file' })
      if (found.size > LARGEST_OCTETS) return fault('FILE_TOO_LARGE', path, { octets: found.size })
      return { path, content: await file.readFile() }
    } finally {
      await file.close()
    }
  } catch (error) {
    return whyUnreadable(path, error as NodeJS.ErrnoException)
  }
}

async function whyUnreadable(
  path: string,
  error: NodeJS.ErrnoException,
): Promise<CertificateFault> {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
    const link = await readlink(path).catch(() => undefined)
    return fault(
      'FILE_MISSING',
      path,
      link === undefined ? {} : { linkTo: resolve(dirname(path), link) },
    )
  }
  if (error.code !== 'EACCES' && error.code !== 'EPERM')
    return fault('FILE_FAILED', path, { why: error.code ?? error.message })
  const closed = await closedOn(path)
  const { uid, mode } = await lstat(closed).catch(() => ({ uid: 0, mode: 0 }))
  const us = process.geteuid?.() ?? 0
  return fault('FILE_UNREADABLE', path, { us, path: closed, owner: uid, mode: octal(mode) })
}

/** The first folder on the way that we may not enter, else where the file itself really is. */
async function closedOn(path: string): Promise<string> {
  const link = await readlink(path).catch(() => undefined)
  const target = link === undefined ? path : resolve(dirname(path), link)
  for (const one of link === undefined ? [path] : [path, target]) {
    const above: string[] = []
    for (let folder = dirname(resolve(one)); !above.includes(folder); folder = dirname(folder))
      above.unshift(folder)
    for (const folder of above) {
      // Not access(): that asks for the real user, not for the one in force.
      const opens = await lstat(`${folder}/.`).then(
        () => true,
        () => false,
      )
      if (!opens) return folder
    }
  }
  return target
}

/** A key that anybody may read. */
async function exposure(path: string): Promise<CertificateFault | undefined> {
  const { mode } = await stat(path).catch(() => ({ mode: 0 }))
  return mode & 0o004 ? fault('KEY_EXPOSED', path, { mode: octal(mode) }) : undefined
}

const octal = (mode: number): string => `0${(mode & 0o777).toString(8)}`
