/** Traditional Chinese (Taiwan): the letter that brings a customer the link. */
export const customers = {
  'customers.mail.subject': '請同意 {partner} 存取貴組織的 Microsoft 365',
  'customers.mail.text':
    '您好：\n\n依照雙方約定，{partner} 將開始{does, select, work {處理} other {讀取}}貴組織 Microsoft 365 環境中的資安事件。這需要貴組織一位系統管理員的同意，大約兩分鐘即可完成：\n\n{url}\n\n誰可以同意：{consenters}。\n\n該頁面說明我們是誰、要求哪些權限{cannot, select, yes {、我們無法做什麼，} other {，}}以及如何撤回同意。連結有效期限至 {until}，參考編號為 {reference}。\n\n若您不確定這封信的真偽，請撥打合約上所載的電話與我們聯絡。\n\n{partner}\n{sender} 敬上',
} as const
