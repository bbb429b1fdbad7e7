import type { Service, Severity } from './incidents.ts'

/** What an alert in a story shows; the stage (people, devices, addresses) is filled in per tenant. */
export type Prop =
  | 'user'
  | 'device'
  | 'server'
  | 'ip'
  | 'url'
  | 'file'
  | 'process'
  | 'mailbox'
  | 'mail'
  | 'mailCluster'
  | 'registry'
  | 'group'
  | 'cloudApp'

export interface AlertScript {
  title: string
  description: string
  severity: Severity
  category: string
  service: Service
  detectionSource: string
  techniques: string[]
  props: Prop[]
  threatFamily?: string
}

export interface Story {
  key: string
  /** Placeholders: {user}, {device}, {users}, {devices}. */
  name: string
  severity: Severity
  weight: number
  systemTags?: string[]
  alerts: AlertScript[]
}

const endpoint = 'microsoftDefenderForEndpoint'
const office = 'microsoftDefenderForOffice365'
const cloudApps = 'microsoftDefenderForCloudApps'
const identity = 'microsoftDefenderForIdentity'
const protection = 'azureAdIdentityProtection'
const xdr = 'microsoft365Defender'

const deliveredLink: AlertScript = {
  title: 'Email messages containing malicious URL removed after delivery',
  description:
    'Emails with malicious URL that were delivered and later removed -V1.0.0.3. Links in the message led to a page that imitates the organisation’s own sign-in page.',
  severity: 'informational',
  category: 'InitialAccess',
  service: office,
  detectionSource: 'microsoftDefenderForOffice365',
  techniques: ['T1566.002'],
  props: ['mail', 'mailCluster', 'mailbox', 'url', 'mailbox', 'mailbox'],
}
const urlClick: AlertScript = {
  title: 'A potentially malicious URL click was detected',
  description:
    'We have detected that one of your users has recently clicked on a link that was found to be malicious. -V1.0.0.5',
  severity: 'high',
  category: 'InitialAccess',
  service: office,
  detectionSource: 'microsoftDefenderForOffice365',
  techniques: ['T1566.002'],
  props: ['user', 'url', 'mail', 'mailbox', 'device'],
}
const unfamiliar: AlertScript = {
  title: 'Unfamiliar sign-in properties',
  description:
    'The following properties of this sign-in are unfamiliar for the given user: ASN, Browser, Device, IP, Location, EASId, TenantIPsubnet',
  severity: 'medium',
  category: 'InitialAccess',
  service: protection,
  detectionSource: 'azureAdIdentityProtection',
  techniques: ['T1078', 'T1078.004'],
  props: ['user', 'ip'],
}
const cookie: AlertScript = {
  title: 'Stolen session cookie was used',
  description:
    'A session cookie that was issued to this user on one device was presented from another one, in a pattern known from adversary-in-the-middle kits. The account was disabled by attack disruption.',
  severity: 'high',
  category: 'CredentialAccess',
  service: xdr,
  detectionSource: 'microsoft365Defender',
  techniques: ['T1539', 'T1557'],
  props: ['user', 'ip', 'ip', 'cloudApp'],
}
const inboxRule: AlertScript = {
  title: 'Suspicious inbox manipulation rule',
  description:
    'A rule was created in the mailbox that moves messages with certain words in the subject to the RSS Feeds folder and marks them read. Attackers use such rules to hide replies from the person they impersonate.',
  severity: 'medium',
  category: 'DefenseEvasion',
  service: cloudApps,
  detectionSource: 'cloudAppSecurity',
  techniques: ['T1564.008', 'T1114.003'],
  props: ['user', 'ip', 'mailbox', 'cloudApp'],
}
const powershell: AlertScript = {
  title: 'Suspicious PowerShell command line',
  description:
    'A suspicious PowerShell activity was observed on the machine. This behavior may indicate that PowerShell was used during installation, exploration, or in some cases in lateral movement activities which are used by attackers to invoke modules, download external payloads, or get more information about the system.\n\nAttackers usually use PowerShell to bypass security protection mechanisms by executing their payload in memory without touching the disk and leaving any trace.',
  severity: 'medium',
  category: 'Execution',
  service: endpoint,
  detectionSource: 'microsoftDefenderForEndpoint',
  techniques: ['T1059.001', 'T1027'],
  props: ['device', 'user', 'process', 'process', 'file', 'ip', 'url'],
}
const task: AlertScript = {
  title: 'Suspicious scheduled task',
  description:
    'A scheduled task was created with a name that imitates a known program and with an action that runs an unsigned file from a user-writable folder.',
  severity: 'medium',
  category: 'Persistence',
  service: endpoint,
  detectionSource: 'microsoftDefenderForEndpoint',
  techniques: ['T1053.005'],
  props: ['device', 'user', 'process', 'file', 'registry'],
}
const lsass: AlertScript = {
  title: 'Sensitive credential memory read',
  description:
    'The memory of lsass.exe was read in a way that credential theft tools read it. Credentials of everyone who signed in to this device since its last start should be considered exposed.',
  severity: 'high',
  category: 'CredentialAccess',
  service: endpoint,
  detectionSource: 'microsoftDefenderForEndpoint',
  techniques: ['T1003', 'T1003.001'],
  props: ['server', 'user', 'process', 'process', 'file'],
}
const download: AlertScript = {
  title: 'Mass download by a single user',
  description:
    'The user downloaded more than 1,000 files within fifteen minutes. This is unusual for this user and for the users that were compared.',
  severity: 'medium',
  category: 'Collection',
  service: cloudApps,
  detectionSource: 'cloudAppSecurity',
  techniques: ['T1530', 'T1213.002'],
  props: ['user', 'ip', 'cloudApp'],
}
const exfiltration: AlertScript = {
  title: 'Data exfiltration to an app that is not sanctioned',
  description:
    'An unusual amount of data (3.1 GB) was uploaded to a cloud storage service that the organisation has not sanctioned.',
  severity: 'high',
  category: 'Exfiltration',
  service: cloudApps,
  detectionSource: 'cloudAppSecurity',
  techniques: ['T1567', 'T1567.002'],
  props: ['user', 'server', 'ip', 'url', 'cloudApp'],
}
const travel: AlertScript = {
  title: 'Impossible travel activity',
  description:
    'The user was involved in an impossible travel incident. The user connected from two countries within 38 minutes, from IP addresses that were not seen for this user in the last 90 days.',
  severity: 'medium',
  category: 'InitialAccess',
  service: cloudApps,
  detectionSource: 'cloudAppSecurity',
  techniques: ['T1078'],
  props: ['user', 'ip', 'ip', 'cloudApp'],
}
const anonymous: AlertScript = {
  title: 'Anonymous IP address',
  description: 'Sign-in from an anonymous IP address (e.g. Tor browser, anonymizer VPNs)',
  severity: 'medium',
  category: 'InitialAccess',
  service: protection,
  detectionSource: 'azureAdIdentityProtection',
  techniques: ['T1090.003', 'T1078'],
  props: ['user', 'ip'],
}
const handsOn: AlertScript = {
  title: 'Hands-on-keyboard attack was launched from a compromised account',
  description:
    'Commands typed by a person, not by a script, were run under this account on several devices in quick succession. The account was contained by attack disruption.',
  severity: 'high',
  category: 'LateralMovement',
  service: xdr,
  detectionSource: 'microsoft365Defender',
  techniques: ['T1021.001', 'T1570'],
  props: ['user', 'device', 'server', 'process', 'process', 'ip'],
}
const ransomware: AlertScript = {
  title: 'Ransomware-linked emerging threat activity group detected',
  description:
    'A threat activity group that is known to deploy ransomware was detected on this device. Investigate at once: the time from this behaviour to encryption has been below four hours elsewhere.',
  severity: 'high',
  category: 'Ransomware',
  service: endpoint,
  detectionSource: 'antivirus',
  techniques: ['T1486', 'T1490'],
  props: ['server', 'file', 'process', 'registry', 'user'],
  threatFamily: 'Qilin',
}
const backups: AlertScript = {
  title: 'File backups were deleted',
  description: 'Volume shadow copies were deleted with vssadmin.exe. Ransomware does this to make recovery impossible.',
  severity: 'high',
  category: 'Impact',
  service: endpoint,
  detectionSource: 'microsoftDefenderForEndpoint',
  techniques: ['T1490'],
  props: ['server', 'process', 'process', 'user'],
}
const dcsync: AlertScript = {
  title: 'Suspected DCSync attack (replication of directory services)',
  description:
    'An actor sent 6 replication requests to a domain controller from a computer that is not one. Attackers use this to obtain password hashes.',
  severity: 'high',
  category: 'CredentialAccess',
  service: identity,
  detectionSource: 'microsoftDefenderForIdentity',
  techniques: ['T1003.006'],
  props: ['user', 'server', 'device', 'group'],
}
const beaconing: AlertScript = {
  title: 'Connection to a custom network indicator',
  description: 'The device connected to an address that is listed as a custom indicator, at regular intervals.',
  severity: 'medium',
  category: 'CommandAndControl',
  service: endpoint,
  detectionSource: 'customTi',
  techniques: ['T1071.001'],
  props: ['device', 'process', 'ip', 'url'],
}
const mimikatz: AlertScript = {
  title: '‘Mimikatz’ hacktool was detected',
  description:
    'Readily available tools, such as hacking programs, can be used by unauthorized individuals to spy on users.\n\nThis detection might indicate that Windows Defender Antivirus has stopped the tool from being installed and used effectively.',
  severity: 'low',
  category: 'Malware',
  service: endpoint,
  detectionSource: 'antivirus',
  techniques: [],
  props: ['device', 'file', 'user'],
  threatFamily: 'Mimikatz',
}
const reported: AlertScript = {
  title: 'Email reported by user as malware or phish',
  description: 'This alert is triggered when any email message is reported as malware or phish by users -V1.0.0.2',
  severity: 'low',
  category: 'InitialAccess',
  service: office,
  detectionSource: 'microsoftDefenderForOffice365',
  techniques: ['T1566'],
  props: ['mail', 'mailbox', 'mailCluster', 'url'],
}
const dlp: AlertScript = {
  title: 'DLP policy (Personnummer, external share) matched for document in OneDrive',
  description:
    'A document that holds 14 personal identity numbers was shared with a person outside the organisation. The policy allowed it with a justification.',
  severity: 'low',
  category: 'Exfiltration',
  service: 'dataLossPrevention',
  detectionSource: 'microsoftDataLossPrevention',
  techniques: [],
  props: ['user', 'file', 'cloudApp'],
}
const fraud: AlertScript = {
  title: 'Business email compromise (BEC) financial fraud attack was launched from a compromised account',
  description:
    'The account replied within existing threads about invoices and named another bank account. It was disabled by attack disruption.',
  severity: 'high',
  category: 'Impact',
  service: xdr,
  detectionSource: 'microsoft365Defender',
  techniques: ['T1657', 'T1534'],
  props: ['user', 'mail', 'mail', 'mailbox', 'ip'],
}
const ot: AlertScript = {
  title: 'Possible human-operated malicious activity',
  description: 'A sequence of discovery commands was run on a jump host of the operational technology network segment.',
  severity: 'high',
  category: 'Discovery',
  service: endpoint,
  detectionSource: 'microsoftDefenderForEndpoint',
  techniques: ['T1082', 'T1018', 'T1049'],
  props: ['server', 'user', 'process', 'process', 'process', 'ip'],
}
const credential: AlertScript = {
  title: 'Credential access tool was blocked',
  description: 'A file that reads stored browser passwords was blocked before it ran.',
  severity: 'medium',
  category: 'CredentialAccess',
  service: endpoint,
  detectionSource: 'antivirus',
  techniques: ['T1555.003'],
  props: ['device', 'file', 'process', 'user'],
  threatFamily: 'LaZagne',
}
const unwanted: AlertScript = {
  title: 'Unwanted software was prevented',
  description: 'A bundled installer that adds further programs was prevented from running.',
  severity: 'informational',
  category: 'UnwantedSoftware',
  service: endpoint,
  detectionSource: 'antivirus',
  techniques: [],
  props: ['device', 'file'],
  threatFamily: 'InstallCore',
}

/** The plays that are given here. Names follow those that Defender itself composes. */
export const stories: readonly Story[] = [
  {
    key: 'multi-stage',
    name: 'Multi-stage incident involving Initial access & Exfiltration on multiple endpoints reported by multiple sources',
    severity: 'high',
    weight: 1,
    systemTags: ['Attack disruption'],
    alerts: [deliveredLink, urlClick, unfamiliar, cookie, inboxRule, powershell, task, lsass, download, exfiltration],
  },
  {
    key: 'aitm',
    name: 'Adversary-in-the-middle (AiTM) phishing attack involving one user',
    severity: 'high',
    weight: 1,
    alerts: [deliveredLink, urlClick, anonymous, cookie, unfamiliar, inboxRule],
  },
  {
    key: 'hands-on',
    name: 'Hands-on-keyboard attack was launched from a compromised account (attack disruption)',
    severity: 'high',
    weight: 1,
    systemTags: ['Attack disruption'],
    alerts: [unfamiliar, powershell, handsOn, lsass, task, beaconing, credential, backups, handsOn],
  },
  {
    key: 'bec',
    name: 'Business email compromise (BEC) financial fraud attack was launched from a compromised account',
    severity: 'high',
    weight: 1,
    systemTags: ['Attack disruption'],
    alerts: [unfamiliar, cookie, inboxRule, fraud, reported],
  },
  {
    key: 'ransomware',
    name: 'Ransomware-linked emerging threat activity group detected on one endpoint',
    severity: 'high',
    weight: 1,
    alerts: [credential, ransomware, backups, beaconing],
  },
  {
    key: 'dcsync',
    name: 'Suspected DCSync attack (replication of directory services) on one endpoint',
    severity: 'high',
    weight: 1,
    alerts: [dcsync, lsass, powershell],
  },
  {
    key: 'ot',
    name: 'Possible human-operated malicious activity in an operational technology network segment',
    severity: 'high',
    weight: 1,
    alerts: [ot, powershell, beaconing, task, lsass, credential, handsOn],
  },
  {
    key: 'inbox-rule',
    name: 'Suspicious inbox manipulation rule involving one user',
    severity: 'medium',
    weight: 4,
    alerts: [unfamiliar, inboxRule],
  },
  {
    key: 'anonymous-ip',
    name: 'Anonymous IP address involving one user reported by multiple sources',
    severity: 'medium',
    weight: 4,
    alerts: [anonymous, travel],
  },
  {
    key: 'powershell',
    name: 'Suspicious PowerShell command line on one endpoint',
    severity: 'medium',
    weight: 4,
    alerts: [powershell, task, beaconing],
  },
  {
    key: 'execution-c2',
    name: 'Multi-stage incident involving Execution & Command and control on one endpoint',
    severity: 'medium',
    weight: 3,
    alerts: [powershell, beaconing, task, credential, mimikatz],
  },
  {
    key: 'unfamiliar',
    name: 'Unfamiliar sign-in properties involving one user',
    severity: 'medium',
    weight: 5,
    alerts: [unfamiliar],
  },
  {
    key: 'travel',
    name: 'Impossible travel activity involving one user',
    severity: 'medium',
    weight: 4,
    alerts: [travel],
  },
  {
    key: 'credential',
    name: 'Credential access incident on one endpoint',
    severity: 'medium',
    weight: 3,
    alerts: [credential, lsass],
  },
  {
    key: 'mass-download',
    name: 'Mass download by a single user involving one cloud app',
    severity: 'medium',
    weight: 3,
    alerts: [download],
  },
  {
    key: 'reported',
    name: 'Email reported by user as malware or phish involving one user',
    severity: 'low',
    weight: 14,
    alerts: [reported],
  },
  {
    key: 'dlp',
    name: 'DLP policy (Personnummer, external share) matched for document in OneDrive',
    severity: 'low',
    weight: 8,
    alerts: [dlp],
  },
  {
    key: 'mimikatz',
    name: '‘Mimikatz’ hacktool was detected on one endpoint',
    severity: 'low',
    weight: 6,
    alerts: [mimikatz],
  },
  {
    key: 'removed-mail',
    name: 'Email messages containing malicious URL removed after delivery involving multiple users',
    severity: 'informational',
    weight: 10,
    alerts: [deliveredLink],
  },
  {
    key: 'unwanted',
    name: 'Unwanted software was prevented on one endpoint',
    severity: 'informational',
    weight: 8,
    alerts: [unwanted],
  },
]

const byKey = new Map(stories.map((story) => [story.key, story]))

/** @throws Error when no story has that key */
export function storyOf(key: string): Story {
  const story = byKey.get(key)
  if (!story) throw new Error(`no story is called ${key}; there are: ${[...byKey.keys()].join(', ')}`)
  return story
}
