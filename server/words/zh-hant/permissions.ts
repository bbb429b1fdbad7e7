/** Traditional Chinese (Taiwan): what each permission lets the partner do. */
export const permissions = {
  'join.ask.readAlerts': '讀取貴組織的安全性警示',
  'join.ask.readAlerts.why': '警示是構成事件的內容：偵測到什麼、在何處，以及其中提到的使用者、裝置、位址與檔案。',
  'join.ask.writeAlerts': '讀取並更新貴組織的安全性警示',
  'join.ask.writeAlerts.why': '讓我們的分析師能記錄由誰處理警示、結果如何及其原因。',
  'join.ask.readDetections': '讀取貴組織自訂的偵測規則',
  'join.ask.readDetections.why': '用來了解貴組織在 Defender 中的規則偵測哪些項目，以及產生了哪些結果。',
  'join.ask.writeDetections': '在貴組織的 Defender 中建立與修改偵測規則',
  'join.ask.writeDetections.why':
    '讓我們的分析師能請 Defender 偵測它本身不會發現的項目。這類規則也可採取動作，例如隔離電腦或停用帳戶。',
  'join.ask.readOrganisations': '在 Microsoft 查詢其他組織的名稱與網域',
  'join.ask.readOrganisations.why': '用來顯示組織的名稱，不會讀取貴組織的任何內容。',
  'join.ask.readApps': '讀取貴組織註冊了哪些應用程式',
  'join.ask.readApps.why': '用來查看應用程式及其權限，例如攻擊者新增的應用程式。不會變更任何應用程式。',
  'join.ask.readDirectory': '讀取貴組織的目錄：人員、群組、裝置與角色',
  'join.ask.readDirectory.why': '用來了解事件涉及的人員與項目，不會變更其中任何內容。',
  'join.ask.ownProfile': '讀取同意者的個人檔案',
  'join.ask.ownProfile.why': '用來得知從 Microsoft 返回的是誰。',
  'join.ask.other': '本頁無法說明的權限',
  'join.ask.other.why': 'Microsoft 的頁面會加以說明。請在按下接受之前，先向我們詢問用途。',
  'join.asks.more':
    'Microsoft 的頁面會列出所要求的全部權限。若其中有此處未列出的項目，請先向我們詢問，再決定是否接受。',
  'join.title.work': '{partner} 請求處理貴組織 Microsoft 365 中的資安事件',
  'join.next.accept.more': 'Microsoft 會顯示所有權限。您可以選擇<b>接受</b>或取消。',
} as const
